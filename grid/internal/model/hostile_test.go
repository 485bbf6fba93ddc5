package model

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"hash/crc32"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid"
	"github.com/ratmom/ratmom/grid/internal/frame"
	"github.com/ratmom/ratmom/grid/internal/hello"
	"github.com/ratmom/ratmom/grid/internal/ws"
)

// villain is a peer that is known, and may say anything. It has dialled.
type villain struct {
	t  *testing.T
	ws *ws.Conn
}

// besieged is a world in which a and b are honest and the villain z is known to both.
func besieged(t *testing.T) *world {
	w := newWorld(t, 1, "a", "b")
	w.config = func(c *grid.Config) {
		c.Peers = []grid.Peer{{Name: villainName}}
		// Nobody but the villain dials between it and b.
		c.Timing.DialGrace = time.Hour
	}
	w.start("a")
	w.start("b")
	limit, stop := context.WithTimeout(t.Context(), dead)
	defer stop()
	require.NoError(t, w.node("a").m.Connection("b").WaitReady(limit))
	require.NoError(t, w.node("b").m.Connection("a").WaitReady(limit))
	return w
}

// attack opens a WebSocket to b.
func attack(t *testing.T, w *world) *villain {
	t.Helper()
	conn, err := w.net.Dial(t.Context(), villainName, "b")
	require.NoError(t, err)
	c, err := ws.Client(t.Context(), conn, ws.Handshake{Host: "b", Path: grid.DefaultPath, Subprotocol: "ratmom.grid.1"})
	require.NoError(t, err)
	return &villain{t, c}
}

// greet opens a session.
func (v *villain) greet() *villain {
	v.t.Helper()
	var l hello.Local
	l.Name = villainName
	_, _ = rand.Read(l.Instance[:])
	_, err := hello.Dial(v.ws, l, "b", villainParams())
	require.NoError(v.t, err)
	return v
}

func villainParams() []byte {
	b := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
	b = binary.BigEndian.AppendUint32(b, 1024)
	b = binary.BigEndian.AppendUint32(b, 1024)
	b = binary.BigEndian.AppendUint64(b, 64<<20)
	return append(b, 1) // with checksums
}

// say sends frames in one batch.
func (v *villain) say(frames ...[]byte) error {
	var all []byte
	for _, f := range frames {
		all = append(all, f...)
	}
	all = binary.BigEndian.AppendUint32(all, crc32.Checksum(all, crc32.MakeTable(crc32.Castagnoli)))
	return v.ws.WriteMessage(net.Buffers{all})
}

// hears gives the frames of the next batch.
func (v *villain) hears() (all []frame.Header, payloads [][]byte, err error) {
	if _, err = v.ws.Next(); err != nil {
		return nil, nil, err
	}
	b, err := io.ReadAll(v.ws)
	if err != nil {
		return nil, nil, err
	}
	b = b[:len(b)-4]
	for len(b) > 0 {
		h, _, payload, rest, err := frame.Parse(b)
		require.NoError(v.t, err)
		all, payloads, b = append(all, h), append(payloads, payload), rest
	}
	return all, payloads, nil
}

// until reads until a frame is the right one, or the session has ended.
func (v *villain) until(right func(h frame.Header, payload []byte) bool) error {
	for {
		all, payloads, err := v.hears()
		if err != nil {
			return err
		}
		for i, h := range all {
			if right(h, payloads[i]) {
				return nil
			}
		}
	}
}

func never(frame.Header, []byte) bool { return false }

// text makes a frame.
func text(h frame.Header, ext *frame.Extensions, payload []byte) []byte {
	h.Length = len(payload)
	if ext != nil {
		h.Ext = ext.Len()
		h.Length += h.Ext
	}
	b := h.Append(nil)
	if ext != nil {
		b = ext.Append(b)
	}
	return append(b, payload...)
}

// villainID is an id of a request of the side that has dialled.
func villainID(slot, generation uint32) uint32 { return generation<<16 | slot<<1 }

func callFrame(slot uint32, id grid.HandlerID, payload []byte) []byte {
	return text(frame.Header{Type: frame.Call, Flags: frame.First, Code: uint16(id), ID: villainID(slot, 0)}, nil, payload)
}

func openFrame(slot uint32, id grid.HandlerID, payload []byte) []byte {
	return text(frame.Header{Type: frame.Open, Flags: frame.First, Code: uint16(id), ID: villainID(slot, 0)},
		&frame.Extensions{Has: frame.HasWindow, Window: 64 << 10}, payload)
}

// unharmed wants the honest to go on, and nothing to be left of the villain.
func (w *world) unharmed() {
	w.t.Helper()
	o := order{id: w.ledger.begin(), size: 100}
	ctx, cancel := context.WithTimeout(w.t.Context(), time.Second)
	defer cancel()
	_, err := w.node("a").m.Connection("b").Request(ctx, idCall, o.bytes())
	w.ledger.end(o.id, err)
	require.NoError(w.t, pause(w.t.Context(), 2*dead))
	synctest.Wait()
	w.ledger.settled()
	assert.Equal(w.t, 1, w.net.Open("b"), "only the connection with a is left")
	for _, c := range w.node("b").m.Snapshot().Connections {
		if c.Name == villainName {
			assert.NotEqual(w.t, grid.Up, c.State)
			assert.Empty(w.t, c.Active)
		}
	}
}

func TestHostile_sessions_end_at_what_must_not_be(t *testing.T) {
	o := order{do: forever}.bytes()
	data := frame.Header{Type: frame.Data, Flags: frame.First, ID: villainID(0, 0)}
	number := func(t frame.Type, n uint64) []byte {
		return text(frame.Header{Type: t}, nil, binary.BigEndian.AppendUint64(nil, n))
	}
	var flood [][]byte
	for slot := range uint32(2000) {
		flood = append(flood, openFrame(slot, idDown, o))
	}
	for name, frames := range map[string][][]byte{
		"half a frame":                    {{1, 2, 3}},
		"an unknown type":                 {{99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"unknown flags":                   {{7, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		"a second greeting":               {text(frame.Header{Type: frame.Hello}, nil, nil)},
		"a welcome":                       {text(frame.Header{Type: frame.Welcome}, nil, nil)},
		"a short ping":                    {text(frame.Header{Type: frame.Ping}, nil, []byte{1})},
		"an acknowledgement of nothing":   {number(frame.ConnCredit, 1<<40)},
		"a request of the other side's":   {text(frame.Header{Type: frame.Call, Flags: frame.First, Code: 1, ID: 1}, nil, nil)},
		"an answer to nothing":            {text(frame.Header{Type: frame.Reply, Flags: frame.First, ID: 1}, nil, nil)},
		"an answer to its own request":    {text(frame.Header{Type: frame.Reply, Flags: frame.First, ID: 2}, nil, nil)},
		"a request twice":                 {openFrame(0, idBoth, o), openFrame(0, idBoth, o)},
		"a fragment of another length":    {text(frame.Header{Type: frame.Call, Flags: frame.First | frame.More, Code: 1}, &frame.Extensions{Has: frame.HasTotal, Total: 10}, []byte("123")), text(frame.Header{Type: frame.Call, Code: 1}, nil, []byte("45"))},
		"a fragment without a length":     {text(frame.Header{Type: frame.Call, Flags: frame.First | frame.More, Code: 1}, nil, []byte("123"))},
		"a stream without a window":       {text(frame.Header{Type: frame.Open, Flags: frame.First, Code: uint16(idBoth)}, nil, o)},
		"a stream with a window of 4 GiB": {text(frame.Header{Type: frame.Open, Flags: frame.First, Code: uint16(idBoth)}, &frame.Extensions{Has: frame.HasWindow, Window: 1<<32 - 1}, o)},
		"a stream with a window of none":  {text(frame.Header{Type: frame.Open, Flags: frame.First, Code: uint16(idBoth)}, &frame.Extensions{Has: frame.HasWindow}, o)},
		"more messages than there is credit for": {openFrame(0, idUp, order{do: forever, count: 99}.bytes()),
			text(data, nil, nil), text(data, nil, nil), text(data, nil, nil), text(data, nil, nil), text(data, nil, nil), text(data, nil, nil),
			text(data, nil, nil), text(data, nil, nil), text(data, nil, nil), text(data, nil, nil), text(data, nil, nil), text(data, nil, nil)},
		"more credit than there can be": {openFrame(0, idBoth, o), text(frame.Header{Type: frame.Credit}, nil, []byte{0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff})},
		"an acceptance":                 {openFrame(0, idBoth, o), text(frame.Header{Type: frame.Credit, Flags: frame.First}, nil, make([]byte, 12))},
		"a fragment to nothing's end":   {openFrame(0, idBoth, o), text(frame.Header{Type: frame.Data, ID: 0}, nil, nil)},
		"a malformed error":             {text(frame.Header{Type: frame.Goaway, Flags: frame.Err}, nil, []byte{1})},
		"more streams than allowed":     flood,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := besieged(t)
				defer w.end()
				v := attack(t, w).greet()
				require.NoError(t, v.say(frames...))
				require.NoError(t, v.ws.NetConn().SetReadDeadline(time.Now().Add(4*time.Second)))
				err := v.until(never)
				assert.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the session goes on")
				_ = v.ws.Close()
				w.unharmed()
			})
		})
	}
}

func TestHostile_frames_at_random_do_no_harm(t *testing.T) {
	random := mathrand.New(mathrand.NewPCG(1, 1))
	synctest.Test(t, func(t *testing.T) {
		w := besieged(t)
		defer w.end()
		for range 300 {
			v := attack(t, w).greet()
			go func() {
				for v.until(never) == nil {
				}
			}()
			for range 20 {
				var frames [][]byte
				for range 1 + random.IntN(5) {
					f := randomFrame(random)
					if random.IntN(10) == 0 {
						f[random.IntN(len(f))] = byte(random.IntN(256))
					}
					frames = append(frames, f)
				}
				if v.say(frames...) != nil {
					break
				}
				synctest.Wait()
			}
			_ = v.ws.Close()
		}
		w.unharmed()
	})
}

// randomFrame is a frame that might be right.
func randomFrame(random *mathrand.Rand) []byte {
	h := frame.Header{
		Type:  frame.Type(random.IntN(int(frame.Credit) + 1)),
		Flags: frame.Flags(random.IntN(32)) &^ frame.Ext,
		Code:  uint16(random.IntN(6)),
		ID:    uint32(random.IntN(8)),
	}
	if random.IntN(2) == 0 {
		h.Flags = frame.First
	}
	var ext *frame.Extensions
	if random.IntN(2) == 0 {
		ext = &frame.Extensions{
			Has: frame.Tags(random.IntN(32)), Deadline: random.Uint32N(100), Total: random.Uint64N(200_000),
			Window: 64<<10 + random.Uint32N(1000), Subroute: 1,
		}
		if ext.Has == 0 {
			ext = nil
		}
	}
	var payload []byte
	switch random.IntN(4) {
	case 0:
		payload = order{count: 3, size: 10}.bytes()
	case 1:
		payload = binary.BigEndian.AppendUint64(nil, uint64(random.IntN(3)))
	case 2:
		payload = make([]byte, random.IntN(70_000))
	}
	if h.Type == frame.Call || h.Type == frame.Open {
		payload = order{count: 3, size: 10}.bytes()
	}
	return text(h, ext, payload)
}

func TestHostile_announcements_cost_no_more_than_the_budget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besieged(t)
		defer w.end()
		v := attack(t, w).greet()
		before := heapInUse()
		const each = 60 << 20
		for slot := range uint32(1000) {
			require.NoError(t, v.say(text(
				frame.Header{Type: frame.Call, Flags: frame.First | frame.More, Code: uint16(idCall), ID: villainID(slot, 0)},
				&frame.Extensions{Has: frame.HasTotal, Total: each}, make([]byte, 100))))
		}
		refused := 0
		require.NoError(t, v.until(func(h frame.Header, payload []byte) bool {
			if h.Type == frame.Reply {
				assert.Equal(t, uint16(grid.ResourceExhausted), h.Code)
				refused++
			}
			return refused == 999
		}))
		assert.Less(t, heapInUse(), before+100<<20)
		// One that is longer than any may be is told so.
		require.NoError(t, v.say(text(
			frame.Header{Type: frame.Call, Flags: frame.First | frame.More, Code: uint16(idCall), ID: villainID(1, 1)},
			&frame.Extensions{Has: frame.HasTotal, Total: 1 << 50}, make([]byte, 100))))
		require.NoError(t, v.until(func(h frame.Header, _ []byte) bool {
			return h.Type == frame.Reply && h.Code == uint16(grid.TooLarge)
		}))
		_ = v.ws.Close()
		w.unharmed()
	})
}

func TestHostile_peer_that_does_not_read_is_given_up(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besieged(t)
		defer w.end()
		big := make([]byte, 15<<10)
		require.NoError(t, w.node("b").m.HandleSingle(99, func(context.Context, *grid.Call) ([]byte, error) { return big, nil }))
		v := attack(t, w).greet()
		before := heapInUse()
		// As many as may be, again and again in the same slots, though nothing was answered: they are
		// refused by then, so the first round is all there is.
		for slot := range uint32(1000) {
			require.NoError(t, v.say(callFrame(slot, 99, nil)))
		}
		synctest.Wait()
		assert.Less(t, heapInUse(), before+32<<20)
		// Pings cost nothing, however many.
		for range 10_000 {
			if v.say(text(frame.Header{Type: frame.Ping}, nil, make([]byte, 8))) != nil {
				break
			}
		}
		assert.Less(t, heapInUse(), before+32<<20)
		w.unharmed()
		_ = v.ws.Close()
	})
}

func TestHostile_header_costs_nothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besieged(t)
		defer w.end()
		for _, greeted := range []bool{false, true} {
			v := attack(t, w)
			if greeted {
				v.greet()
			}
			before := heapInUse()
			// A masked binary frame of 64 GiB.
			_, err := v.ws.NetConn().Write([]byte{0x82, 0xff, 0, 0, 0, 0x10, 0, 0, 0, 0, 1, 2, 3, 4})
			require.NoError(t, err)
			_, err = io.ReadAll(v.ws.NetConn())
			synctest.Wait()
			assert.Less(t, heapInUse(), before+4<<20)
			_ = err
			_ = v.ws.Close()
		}
		w.unharmed()
	})
}

func TestHostile_silence_in_the_handshake_ends_it(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besieged(t)
		defer w.end()
		for range 50 {
			attack(t, w)
		}
		assert.Equal(t, 51, w.net.Open("b"))
		require.NoError(t, pause(t.Context(), 6*time.Second))
		synctest.Wait()
		assert.Equal(t, 1, w.net.Open("b"))
	})
}

func TestHostile_sessions_of_one_name_replace_each_other(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := besieged(t)
		defer w.end()
		for range 100 {
			v := attack(t, w).greet()
			go func() {
				for v.until(never) == nil {
				}
				_ = v.ws.Close()
			}()
			time.Sleep(time.Millisecond)
		}
		synctest.Wait()
		assert.LessOrEqual(t, w.net.Open("b"), 3)
		w.net.Reset(villainName, "b")
		w.unharmed()
	})
}
