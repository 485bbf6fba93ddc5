package grid

// latch is opened once, for all who wait. Its channel is made by them.
type latch struct {
	opened bool
	ch     chan struct{}
}

// wait returns a channel that is closed once the latch is open.
func (l *latch) wait() <-chan struct{} {
	if l.ch == nil {
		l.ch = make(chan struct{})
		if l.opened {
			close(l.ch)
		}
	}
	return l.ch
}

func (l *latch) open() {
	if l.opened {
		return
	}
	l.opened = true
	if l.ch != nil {
		close(l.ch)
	}
}
