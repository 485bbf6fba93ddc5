package main

import (
	"errors"
	"fmt"
	"syscall"
	"time"
	"unsafe"

	curl "github.com/andelf/go-curl" //nolint:depguard // it is the peer

	"github.com/ratmom/ratmom/bench/internal/result"
)

// loop is a multi handle and as many easy handles as run at once.
type loop struct {
	multi     *curl.CURLM
	free      []*curl.CURL
	running   map[unsafe.Pointer]transfer
	latencies *result.Latencies
	bytes     int64
	args      args
}

type transfer struct {
	easy  *curl.CURL
	begin time.Time
}

func newLoop(a args) *loop {
	l := &loop{
		multi: curl.MultiInit(), running: map[unsafe.Pointer]transfer{},
		latencies: new(result.Latencies), args: a,
	}
	for range a.inFlight {
		l.free = append(l.free, curl.EasyInit())
	}
	return l
}

func (l *loop) close() {
	for _, e := range l.free {
		e.Cleanup()
	}
	_ = l.multi.Cleanup()
}

// start sets every option anew, as the other peers do.
func (l *loop) start(url string) error {
	e := l.free[len(l.free)-1]
	l.free = l.free[:len(l.free)-1]
	e.MallocFreeAfter(0) // the strings of the request before
	e.Reset()
	version := curl.HTTP_VERSION_1_1
	if l.args.http2 {
		version = 4 // CURL_HTTP_VERSION_2TLS
	}
	err := errors.Join(
		e.Setopt(curl.OPT_URL, url),
		e.Setopt(curl.OPT_NOSIGNAL, true),
		e.Setopt(curl.OPT_PROXY, ""),
		e.Setopt(curl.OPT_HTTP_VERSION, version),
		e.Setopt(curl.OPT_WRITEFUNCTION, func(p []byte, _ any) bool {
			l.bytes += int64(len(p))
			return true
		}),
	)
	if l.args.http2 {
		err = errors.Join(err, e.Setopt(237, true)) // CURLOPT_PIPEWAIT
	}
	if l.args.ca != "" {
		err = errors.Join(err, e.Setopt(curl.OPT_CAINFO, l.args.ca))
	}
	if l.args.buffer > 0 {
		err = errors.Join(err, e.Setopt(curl.OPT_BUFFERSIZE, l.args.buffer))
	}
	l.running[e.GetHandle()] = transfer{e, time.Now()}
	return errors.Join(err, l.multi.AddHandle(e))
}

func (l *loop) fetch(url string, n int) error {
	started, ended := 0, 0
	for ended < n {
		for started < n && len(l.free) > 0 {
			if err := l.start(url); err != nil {
				return err
			}
			started++
		}
		if _, err := l.multi.Perform(); err != nil {
			return err
		}
		done, err := l.finished()
		if err != nil {
			return err
		}
		ended += done
		if done == 0 {
			if err := l.wait(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *loop) finished() (n int, err error) {
	for {
		m, _ := l.multi.Info_read()
		if m == nil {
			return n, nil
		}
		t := l.running[m.Easy_handle.GetHandle()]
		delete(l.running, m.Easy_handle.GetHandle())
		if err := l.multi.RemoveHandle(t.easy); err != nil {
			return n, err
		}
		l.latencies.Add(time.Since(t.begin))
		status, err := t.easy.Getinfo(curl.INFO_RESPONSE_CODE)
		if err == nil && status != 200 {
			err = fmt.Errorf("status %v, code %d", status, *(*int32)(unsafe.Pointer(&m.Data)))
		}
		if err != nil {
			return n, err
		}
		l.free = append(l.free, t.easy)
		n++
	}
}

// wait is the select of go-curl's example.
func (l *loop) wait() error {
	ms, err := l.multi.Timeout()
	if err != nil {
		return err
	}
	if ms < 0 || ms > 1000 {
		ms = 1000
	}
	var read, write, except syscall.FdSet
	highest, err := l.multi.Fdset(&read, &write, &except)
	if err != nil {
		return err
	}
	timeout := syscall.NsecToTimeval(int64(ms) * 1e6)
	_, err = syscall.Select(highest+1, &read, &write, &except, &timeout)
	if errors.Is(err, syscall.EINTR) {
		return nil
	}
	return err
}
