package sched

// Controller makes the control frames of an object.
type Controller interface {
	// AppendControl appends what there is to say, and forgets it.
	AppendControl(b []byte) []byte
}

// Mark says that an object has control frames to send. It is a part of the
// object; however often it is set, it is there once.
type Mark struct {
	Of  Controller
	set bool
}

// Set has the control frames of m's object made for one of the next batches.
func (q *Queue) Set(m *Mark) {
	if m.set {
		return
	}
	m.set = true
	q.control = append(q.control, m)
}

// controlBatch is how many bytes of control frames are enough for one batch, which must not get too long.
const controlBatch = 256 << 10

// takeControl appends the frames of marked objects, in their order, and reports whether that were all. If not,
// nothing else may be sent yet, so that what an object says in this class is never behind what it says in
// the others.
func (q *Queue) takeControl(b []byte) ([]byte, bool) {
	for i, m := range q.control {
		if len(b) >= controlBatch {
			left := copy(q.control, q.control[i:])
			clear(q.control[left:])
			q.control = q.control[:left]
			return b, false
		}
		m.set = false
		b = m.Of.AppendControl(b)
	}
	clear(q.control)
	q.control = q.control[:0]
	return b, true
}
