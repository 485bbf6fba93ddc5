package grid

import (
	"context"
	"errors"
	"time"
)

// enter notes a task that Shutdown waits for, unless the manager is closed.
func (m *Manager) enter() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return false
	}
	m.tasks.Add(1)
	return true
}

// onShutdown calls f when the manager ends, unless stop is called before: that reports
// whether it was in time.
func (m *Manager) onShutdown(f func()) (stop func() bool) { return context.AfterFunc(m.ctx, f) }

// retire lets a session that was replaced finish what it runs.
func (m *Manager) retire(s *session, why string) {
	if !m.enter() {
		s.end(errShutDown)
		return
	}
	s.goaway(Draining, why)
	go func() {
		defer m.tasks.Done()
		t := time.NewTimer(m.timing.Drain)
		defer t.Stop()
		select {
		case <-s.quiet():
			s.close()
		case <-s.gone:
		case <-t.C:
			s.end(errLate)
		case <-m.ctx.Done():
			s.end(errShutDown)
		}
	}()
}

var (
	errLate          = errors.New("the connection was replaced, and did not end in time")
	errReplacedOften = errors.New("the connection was replaced, and so were others after it")
)

// Shutdown tells the peers, refuses new requests from both sides, and waits for
// those that run. When ctx ends before they have, the rest is ended, and the error is that of
// the context. After it nothing of the manager runs but handlers that do not heed the end of
// their context.
func (m *Manager) Shutdown(ctx context.Context) error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	var all []*session
	for _, c := range m.Connections() {
		c.remove()
		all = append(all, c.shut()...)
	}
	for _, s := range all {
		s.leaving.Store(true)
		s.goaway(Draining, errShutDown.Error())
	}
	var err error
	for _, s := range all {
		select {
		case <-s.quiet():
			s.close()
		case <-ctx.Done():
			err = ctx.Err()
			s.end(errShutDown)
		}
	}
	for _, s := range all {
		select {
		case <-s.gone: // the peer has closed
		case <-ctx.Done():
			s.end(errShutDown)
		}
		<-s.finished
	}
	m.cancel()
	m.tasks.Wait()
	m.workers.close()
	return err
}

// Close is Shutdown without waiting for requests.
func (m *Manager) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = m.Shutdown(ctx)
	return nil
}
