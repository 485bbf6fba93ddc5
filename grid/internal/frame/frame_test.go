package frame

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHeader_is_read_as_it_was_written(t *testing.T) {
	ext := Extensions{Has: HasDeadline | HasTotal | HasWindow | HasSubroute | HasTrace | HasKey, Deadline: 1, Total: 1 << 40, Window: 3, Subroute: 4, Trace: [25]byte{24: 5}, Key: [16]byte{15: 6}}
	block := ext.Append(nil)
	require.Len(t, block, ext.Len())
	for _, payload := range []int{0, 1, MaxFragment} {
		for typ := Nop; typ < numTypes; typ++ {
			h := Header{Type: typ, Flags: More | First | Err | Bulk, Code: 0xfedc, ID: 0x89abcdef, Length: len(block) + payload, Ext: len(block)}
			b := append(append(h.Append(nil), block...), make([]byte, payload)...)
			got, gotExt, gotPayload, rest, err := Parse(append(b, 1, 2, 3))
			require.NoError(t, err)
			h.Flags |= Ext
			require.Equal(t, h, got)
			require.Equal(t, []byte{1, 2, 3}, rest)
			require.Len(t, gotPayload, payload)
			var e Extensions
			require.NoError(t, e.Parse(gotExt))
			require.Equal(t, ext, e)
			require.NotContains(t, typ.String(), "type ")
		}
	}
}

func TestParse_refuses_headers_that_cannot_be(t *testing.T) {
	good := Header{Type: Call, Length: 2}.Append(nil)
	good = append(good, 0, 0)
	for name, c := range map[string]struct {
		change func(b []byte) []byte
		want   error
	}{
		"no bytes":                   {func([]byte) []byte { return nil }, ErrShort},
		"a part of a header":         {func(b []byte) []byte { return b[:11] }, ErrShort},
		"a part of a payload":        {func(b []byte) []byte { return b[:13] }, ErrShort},
		"another type":               {func(b []byte) []byte { b[0] = byte(numTypes); return b }, ErrType},
		"another flag":               {func(b []byte) []byte { b[1] = 0x80; return b }, ErrFlags},
		"the longest length":         {func(b []byte) []byte { b[8], b[9], b[10] = 255, 255, 255; return b }, ErrLength},
		"a flag without a block":     {func(b []byte) []byte { b[1] = byte(Ext); return b }, ErrExt},
		"a block without a flag":     {func(b []byte) []byte { b[11] = 1; return b }, ErrExt},
		"a block beyond the payload": {func(b []byte) []byte { b[1], b[11] = byte(Ext), 3; return b }, ErrExt},
	} {
		_, _, _, _, err := Parse(c.change(bytes.Clone(good)))
		assert.ErrorIs(t, err, c.want, name)
	}
	assert.Contains(t, numTypes.String(), "type 14")
}

func TestExtensions_are_refused_when_malformed_and_passed_over_when_unknown(t *testing.T) {
	for name, b := range map[string][]byte{
		"a tag alone":       {1},
		"too short":         {1, 4, 0, 0, 0},
		"of another length": {1, 3, 0, 0, 0},
		"twice":             {3, 4, 0, 0, 0, 1, 3, 4, 0, 0, 0, 1},
	} {
		var e Extensions
		assert.ErrorIs(t, e.Parse(b), ErrExt, name)
	}
	var e Extensions
	require.NoError(t, e.Parse([]byte{200, 2, 1, 2, 4, 4, 0, 0, 0, 9, 201, 0}))
	assert.Equal(t, Extensions{Has: HasSubroute, Subroute: 9}, e)
}

func TestFailure_is_read_as_it_was_written_within_its_bounds(t *testing.T) {
	f := Failure{App: 7, Never: true, Message: "no", Details: []byte{1}}
	var got Failure
	require.NoError(t, got.Parse(f.Append(nil)))
	assert.Equal(t, f, got)
	long := Failure{Message: strings.Repeat("x", 100_000), Details: make([]byte, 100_000)}
	b := long.Append(nil)
	assert.Less(t, len(b), 16<<10, "it fits into a small message")
	require.NoError(t, got.Parse(b))
	assert.Len(t, got.Message, 4<<10)
	assert.Nil(t, got.Details)
	for _, b := range [][]byte{nil, {0, 0, 0, 0}, {0, 0, 0, 0, 2, 'x'}} {
		assert.ErrorIs(t, got.Parse(b), ErrShort)
	}
}

// The table, said once more in another form: what is not listed is refused.
func TestDecide_takes_each_frame_in_its_states_alone(t *testing.T) {
	states := []string{"absent", "request", "call", "stream", "half", "ours absent", "our call", "our stream", "given up"}
	require.Len(t, states, int(numStates))
	want := map[string]map[string]Action{
		"CALL":   {"absent": Start},
		"OPEN":   {"absent": Start},
		"CALL+":  {"absent": Ignore, "request": Take},
		"OPEN+":  {"absent": Ignore, "request": Take},
		"REPLY":  {"our call": Take, "given up": Take},
		"DATA":   {"absent": Ignore, "stream": Take, "ours absent": Ignore, "our stream": Take, "given up": Ignore},
		"END":    {"absent": Ignore, "stream": Take, "our stream": Take, "given up": Take},
		"RESET":  {"absent": Ignore, "request": Take, "call": Take, "stream": Take, "half": Take, "our call": Take, "our stream": Take, "given up": Take},
		"CREDIT": {"absent": Ignore, "stream": Take, "half": Take, "our stream": Take, "given up": Ignore},
	}
	for typ := Nop; typ <= numTypes; typ++ {
		for s := State(0); s <= numStates; s++ {
			for _, first := range []Flags{0, First} {
				name := typ.String()
				if first == 0 && (typ == Call || typ == Open) {
					name += "+"
				}
				expected := Refuse
				if s < numStates {
					expected = want[name][states[s]]
				}
				assert.Equal(t, expected, Decide(Header{Type: typ, Flags: first}, s), "%s in state %d", name, s)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	e := Extensions{Has: HasDeadline | HasTotal, Deadline: 5, Total: 9}
	f.Add(append(Header{Type: Call, Flags: First, Length: e.Len(), Ext: e.Len()}.Append(nil), e.Append(nil)...))
	f.Add(Header{Type: Ping, Length: 8}.Append(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			h, ext, payload, rest, err := Parse(b)
			if err != nil {
				return
			}
			if len(ext)+len(payload)+len(rest)+HeaderLen != len(b) || len(payload) > MaxPayload {
				t.Fatal("bytes lost or made")
			}
			if again := h.Append(nil); !bytes.Equal(again, b[:HeaderLen]) {
				t.Fatalf("%x became %x", b[:HeaderLen], again)
			}
			var e Extensions
			if e.Parse(ext) == nil && e.Len() > len(ext) {
				t.Fatal("a block became longer")
			}
			var fail Failure
			if fail.Parse(payload) == nil && len(fail.Message)+len(fail.Details)+5 != len(payload) {
				t.Fatal("an error of another length")
			}
			b = rest
		}
	})
}
