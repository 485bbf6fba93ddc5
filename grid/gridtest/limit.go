package gridtest

import "time"

// limit is a deadline of a pipe. The pipe's mutex guards it.
type limit struct {
	timer *time.Timer
	over  bool
}

func (l *limit) passed() bool { return l.over }

// set calls p.changed when t comes. The zero time means never.
func (l *limit) set(p *pipe, t time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	l.stop()
	l.over = false
	if t.IsZero() {
		return
	}
	d := time.Until(t)
	if d <= 0 {
		l.over = true
		p.change.Broadcast()
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(d, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if l.timer == timer {
			l.over = true
			p.change.Broadcast()
		}
	})
	l.timer = timer
}

func (l *limit) stop() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}
