package sched

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/grid/internal/frame"
)

const big = 1 << 40

// sent is a frame that was given out.
type sent struct {
	frame.Header
	ext     frame.Extensions
	payload []byte
}

// next takes a batch, and returns its frames.
func next(t testing.TB, q *Queue, now int64) (frames []sent) {
	t.Helper()
	var b Batch
	if !q.Next(&b, now) {
		return nil
	}
	for _, part := range [...][]byte{slices.Concat(b.Parts(nil)...)} {
		for len(part) > 0 {
			h, ext, payload, rest, err := frame.Parse(part)
			require.NoError(t, err)
			s := sent{Header: h, payload: bytes.Clone(payload)}
			require.NoError(t, s.ext.Parse(ext))
			frames = append(frames, s)
			part = rest
		}
	}
	b.Release()
	return frames
}

func TestQueue_gives_out_small_messages_in_their_order(t *testing.T) {
	q := Queue{BulkLimit: big}
	require.True(t, q.Empty())
	for i := range 1000 {
		q.Put(frame.Header{Type: frame.Call, ID: uint32(i)}, nil, make([]byte, i%Small), 0, 5)
	}
	require.Equal(t, int64(5), q.Since())
	got := 0
	for !q.Empty() {
		for _, f := range next(t, &q, 6) {
			require.Equal(t, uint32(got), f.ID)
			require.Len(t, f.payload, got%Small)
			got++
		}
	}
	require.Equal(t, 1000, got)
	require.Zero(t, q.Bytes())
	require.Zero(t, q.Since())
}

func TestQueue_fills_in_the_time_that_remains(t *testing.T) {
	var q Queue
	ext := frame.Extensions{Has: frame.HasDeadline | frame.HasSubroute, Subroute: 7}
	for _, until := range []int64{10_000_000, 10_000_001, 1, 1 << 60} {
		q.Put(frame.Header{Type: frame.Call}, &ext, []byte("x"), until, 0)
	}
	var left []uint32
	for _, f := range next(t, &q, 2_000_000) {
		left = append(left, f.ext.Deadline)
		require.Equal(t, uint32(7), f.ext.Subroute)
	}
	require.Equal(t, []uint32{8, 9, 0, 1<<32 - 1}, left)
}

func TestTakeBack_leaves_nothing_of_a_message_that_waits(t *testing.T) {
	var q Queue
	first := q.Put(frame.Header{Type: frame.Call, ID: 1}, nil, nil, 0, 0)
	second := q.Put(frame.Header{Type: frame.Call, ID: 2}, nil, nil, 0, 0)
	require.True(t, q.TakeBack(first))
	frames := next(t, &q, 0)
	require.Equal(t, frame.Nop, frames[0].Type)
	require.Equal(t, frame.Call, frames[1].Type)
	require.False(t, q.Waits(second))
	require.False(t, q.TakeBack(second))
	third := q.Put(frame.Header{Type: frame.Call, ID: 3}, nil, nil, 0, 0)
	require.True(t, q.Waits(third))
	q.Drop()
	require.False(t, q.Waits(third))
	require.True(t, q.Empty())
}

// large is a message of n bytes for a flow.
func large(id uint32, n int) *Message {
	return &Message{Header: frame.Header{Type: frame.Data, ID: id}, Payload: bytes.Repeat([]byte{byte(id)}, n)}
}

func TestQueue_cuts_large_messages_and_gives_each_flow_its_turn(t *testing.T) {
	q := Queue{BulkLimit: big}
	flows := make([]Flow, 4)
	sizes := []int{1, 300_000, 1_000_000, 500_000}
	taken := 0
	for i := range flows {
		m := large(uint32(i), sizes[i])
		m.Taken = func() { taken++ }
		q.Add(&flows[i], m)
		q.Add(&flows[i], large(uint32(i), 10)) // stays behind it
	}
	got := make([][]byte, len(flows))
	ends := make([]int, len(flows))
	done := 0
	for !q.Empty() {
		for _, f := range next(t, &q, 0) {
			require.NotZero(t, f.Flags&frame.Bulk)
			require.Equal(t, len(got[f.ID]) == 0 || len(got[f.ID]) == sizes[f.ID], f.Flags&frame.First != 0)
			if f.Flags&(frame.First|frame.More) == frame.First|frame.More {
				require.Equal(t, uint64(sizes[f.ID]), f.ext.Total)
			}
			got[f.ID] = append(got[f.ID], f.payload...)
			done += len(f.payload)
			if len(got[f.ID]) == sizes[f.ID]+10 {
				ends[f.ID] = done
			}
		}
	}
	for i := range flows {
		require.Len(t, got[i], sizes[i]+10)
		require.True(t, flows[i].Empty())
	}
	require.Equal(t, len(flows), taken)
	require.Less(t, ends[0], 200_000, "short ones do not wait for long ones")
	require.Less(t, ends[1], ends[3])
	require.Less(t, ends[3], ends[2])
	require.Less(t, ends[1], 4*300_000+300_000)
}

func TestQueue_has_no_more_large_bytes_under_way_than_the_window(t *testing.T) {
	q := Queue{BulkLimit: 100_000}
	var f Flow
	q.Add(&f, large(1, 1<<20))
	bytesOut := 0
	for !q.Empty() {
		for _, f := range next(t, &q, 0) {
			bytesOut += len(f.payload)
		}
	}
	require.Less(t, bytesOut, 100_000+frame.MaxFragment)
	require.True(t, q.Bulk())
	q.Put(frame.Header{Type: frame.Call}, nil, nil, 0, 0)
	require.Len(t, next(t, &q, 0), 1, "small ones go on")
	require.False(t, q.Ack(q.Sent()+1))
	require.True(t, q.Ack(q.Sent()))
	require.False(t, q.Ack(0))
	require.False(t, q.Empty())
}

func TestRemove_and_Withdraw_take_back_what_was_not_sent(t *testing.T) {
	q := Queue{BulkLimit: 256 << 10}
	var a, b, c Flow
	ma, mb, mc := large(1, 1<<20), large(2, 1<<20), large(3, 1<<20)
	q.Add(&a, ma)
	q.Add(&b, mb)
	q.Add(&c, mc)
	next(t, &q, 0) // of a and b
	q.BulkLimit = big
	require.False(t, q.Withdraw(&a, ma))
	require.True(t, q.Remove(&a))
	require.False(t, q.Remove(&a))
	require.True(t, q.Withdraw(&c, mc))
	require.False(t, q.Withdraw(&c, mc))
	rest := 0
	for !q.Empty() {
		for _, f := range next(t, &q, 0) {
			require.Equal(t, uint32(2), f.ID)
			rest += len(f.payload)
		}
	}
	require.Equal(t, 1<<20-frame.MaxFragment, rest)
}

// counter says how often it was asked.
type counter struct {
	mark  Mark
	asked int
}

func (c *counter) AppendControl(b []byte) []byte {
	c.asked++
	return frame.Header{Type: frame.Reset, ID: 99}.Append(b)
}

func TestSet_has_control_frames_made_once_and_before_all_else(t *testing.T) {
	var q Queue
	c := &counter{}
	c.mark.Of = c
	q.Put(frame.Header{Type: frame.Call}, nil, nil, 0, 0)
	q.Set(&c.mark)
	q.Set(&c.mark)
	require.NotZero(t, q.Size())
	frames := next(t, &q, 0)
	require.Equal(t, []frame.Type{frame.Reset, frame.Call}, []frame.Type{frames[0].Type, frames[1].Type})
	require.True(t, q.Empty())
	q.Set(&c.mark)
	require.Len(t, next(t, &q, 0), 1)
	require.Equal(t, 2, c.asked)
}

// Random work against a simple model: everything comes out once, whole, in the order of its flow.
func TestQueue_loses_and_repeats_nothing(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 4 {
		q := Queue{BulkLimit: 200_000}
		flows := make([]Flow, 5)
		want, got := make([][]byte, 6), make([][]byte, 6)
		for step := range 400 {
			msg := binary.BigEndian.AppendUint32(nil, uint32(step))
			switch k := random.IntN(8); {
			case k < 5:
				msg = append(msg, make([]byte, random.IntN(200_000))...)
				q.Add(&flows[k], &Message{Header: frame.Header{ID: uint32(k)}, Payload: msg})
				want[k] = append(want[k], msg...)
			case k == 5:
				q.Put(frame.Header{ID: 5}, nil, msg, 0, 0)
				want[5] = append(want[5], msg...)
			case k == 6:
				q.Ack(q.Sent())
			}
			for _, f := range next(t, &q, 0) {
				got[f.ID] = append(got[f.ID], f.payload...)
			}
		}
		for q.Bulk() || !q.Empty() {
			q.Ack(q.Sent())
			for _, f := range next(t, &q, 0) {
				got[f.ID] = append(got[f.ID], f.payload...)
			}
		}
		for k := range want {
			require.True(t, bytes.Equal(want[k], got[k]))
		}
	}
}

func TestAdd_allocates_nothing_for_a_message_alone(t *testing.T) {
	q := Queue{BulkLimit: big}
	var f Flow
	var b Batch
	m := large(1, 20_000)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		m.off = 0
		q.Add(&f, m)
		if f.Empty() || !q.Next(&b, 0) || !f.Empty() {
			panic("it was not sent")
		}
		b.Release()
	}))
	require.Nil(t, f.first[0], "nothing holds it")
	q.Add(&f, m)
	m.off = 0
	require.True(t, q.Withdraw(&f, m))
	require.Nil(t, f.first[0])
}

func TestBatch_has_half_of_the_window_in_fragments(t *testing.T) {
	for limit, want := range map[int64]int{64 << 10: 1, 256 << 10: 2, 384 << 10: 3, big: 3} {
		q := Queue{BulkLimit: limit}
		q.Add(new(Flow), large(1, 10<<20))
		for range 3 {
			require.Len(t, next(t, &q, 0), want, "of a window of %d bytes", limit)
			require.True(t, q.Ack(q.Sent()))
		}
	}
}

func TestWindow_fits_what_is_under_way_to_the_path(t *testing.T) {
	const second = 1_000_000_000
	w := Window{Max: 16 << 20}
	assert.Equal(t, int64(256<<10), w.Limit())
	// 100 MB/s and 20 ms: the path holds 2 MB.
	var now int64 = 1
	var total uint64
	w.RTT(20_000_000, now)
	for range 10 {
		total += 2_000_000
		w.Sent(total, now)
		now += 20_000_000
		w.Acked(total, now, true)
	}
	assert.InDelta(t, 4_000_000, w.Limit(), 100_000)
	// Less to send says nothing of the path.
	for range 10 {
		total += 1000
		w.Sent(total, now)
		now += second / 10
		w.Acked(total, now, false)
	}
	assert.InDelta(t, 4_000_000, w.Limit(), 100_000)
	// The path became slow.
	for range 10 {
		total += 200_000
		w.Sent(total, now)
		now += second / 10
		w.Acked(total, now, true)
	}
	assert.Equal(t, int64(256<<10), w.Limit())
	// And long: the old round trip is forgotten after two intervals.
	for range 3 {
		now += 11 * second
		w.RTT(10*second, now)
	}
	assert.Equal(t, int64(16<<20), w.Limit())
	assert.Equal(t, int64(1000), (&Window{Max: 1000}).Limit())

	// Fast and short, it holds less than the ends have in hand.
	for _, c := range []struct{ rate, limit int64 }{{400_000_000, 256 << 10}, {1_000_000_000, 600_000}, {3_000_000_000, 1 << 20}} {
		w := Window{Max: 16 << 20}
		now, total := int64(1), uint64(0)
		w.RTT(20_000, now)
		for range 5 {
			total += uint64(c.rate / 1000)
			w.Sent(total, now)
			now += 1_000_000
			w.Acked(total, now, true)
		}
		assert.InDelta(t, c.limit, w.Limit(), 1000, "%d bytes a second", c.rate)
	}
}

type longControl struct{ said *int }

func (c longControl) AppendControl(b []byte) []byte {
	*c.said++
	return append(frame.Header{Type: frame.Goaway, Length: 8 << 10}.Append(b), make([]byte, 8<<10)...)
}

func TestNext_makes_no_batch_too_long_of_control_frames(t *testing.T) {
	q := Queue{BulkLimit: big}
	said := 0
	marks := make([]Mark, 500)
	for i := range marks {
		marks[i].Of = longControl{&said}
		q.Set(&marks[i])
	}
	q.Put(frame.Header{Type: frame.Call}, nil, make([]byte, 10), 0, 1)
	q.Add(new(Flow), &Message{Header: frame.Header{Type: frame.Call}, Payload: make([]byte, 1<<20)})
	for !q.Empty() {
		var b Batch
		require.True(t, q.Next(&b, 2))
		length := 0
		for _, p := range b.Parts(nil) {
			length += len(p)
		}
		require.Less(t, length, 1<<20)
		if said < len(marks) {
			require.Len(t, b.Parts(nil), 1, "nothing may go ahead of what is left of them")
		}
		b.Release()
	}
	require.Equal(t, len(marks), said)
}

type keeper struct{ written *int }

func (k keeper) Written() { *k.written++ }

func TestBatch_has_the_payload_itself_of_a_message_that_is_kept(t *testing.T) {
	for _, keep := range []bool{false, true} {
		q := Queue{BulkLimit: big, KeepPayloads: keep}
		kept, other := large(1, 100_000), large(2, 20_000)
		taken, written := 0, 0
		kept.Taken = func() { taken++ }
		kept.Kept = keeper{&written}
		q.Add(new(Flow), kept)
		q.Add(new(Flow), other)
		var b Batch
		require.True(t, q.Next(&b, 0))
		require.True(t, q.Empty())
		require.Equal(t, 1, taken)
		require.Zero(t, written, "a part of it is still to be written")
		itself := 0
		for _, p := range b.Parts(nil) {
			if &p[0] == &kept.Payload[0] || &p[0] == &kept.Payload[frame.MaxFragment] {
				itself += len(p)
			}
			require.NotSame(t, &other.Payload[0], &p[0])
		}
		if keep {
			require.Len(t, kept.Payload, itself)
		} else {
			require.Zero(t, itself)
		}
		b.Release()
		require.Equal(t, 1, written)
		b.Release()
		require.Equal(t, 1, written)
		require.Empty(t, b.Parts(nil))
	}
}

func TestBatch_with_a_part_of_a_message_that_was_removed_says_nothing_of_its_end(t *testing.T) {
	q := Queue{BulkLimit: big, KeepPayloads: true}
	m := large(1, 1<<20)
	written := 0
	m.Kept = keeper{&written}
	var f Flow
	q.Add(&f, m)
	var b Batch
	require.True(t, q.Next(&b, 0))
	require.True(t, q.Remove(&f))
	b.Release()
	require.False(t, q.Next(&b, 0))
	require.Zero(t, written)
}
