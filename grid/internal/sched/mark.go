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

// takeControl appends the frames of all marked objects. There is no bound but their
// number, so that what an object says in this class is never behind what it says in
// the others.
func (q *Queue) takeControl(b []byte) []byte {
	for i, m := range q.control {
		q.control[i] = nil
		m.set = false
		b = m.Of.AppendControl(b)
	}
	q.control = q.control[:0]
	return b
}
