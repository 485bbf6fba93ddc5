//go:build !linux

package server

// watcher is Linux's; elsewhere a goroutine reads on while a handler is at work.
type watcher struct{}

type watch struct{}

func newWatcher() *watcher { return nil }

func (*watcher) add(*conn) *watch { return nil }

func (*watcher) release() {}

func (*watch) remove() {}

func (*watch) atEnd() bool { return false }

func (*watch) unread() bool { return false }

// newWaiter gives none: the buffer is kept while a connection is idle.
func newWaiter(*conn) waiter { return nil }
