package cgo

/*
#include "ratmom.h"
*/
import "C"
import (
	"bytes"
	"errors"
	"sync"

	curl "github.com/andelf/go-curl"
)

// Pool keeps the easy handles of one agent for reuse. Handles are never shared
// between agents: libcurl keeps TLS sessions in them.
type Pool struct {
	mu     sync.Mutex
	free   []*Transfer
	closed bool
	urls   urlCache
}

// poolSize is how many idle handles a pool keeps.
const poolSize = 256

// Get returns a transfer that carries nothing of its last use. If profile is not
// nil and the last use had the same profile and target, its options are left as
// they are: then Warm reports true, and only URL, header and time limit are set
// again.
func (p *Pool) Get(profile any, target *Options) (*Transfer, error) {
	p.mu.Lock()
	var t *Transfer
	if n := len(p.free); n > 0 {
		t, p.free = p.free[n-1], p.free[:n-1]
	}
	p.mu.Unlock()
	if t != nil {
		t.warm = profile != nil && t.profile == profile && bytes.Equal(t.target, target.buf)
		t.profile = nil
		if !t.warm {
			t.easy.Reset()
			t.parsed.release()
			t.parsed = nil
		}
		return t, nil
	}
	if err := Init(); err != nil {
		return nil, err
	}
	easy := curl.EasyInit()
	if easy == nil || easy.GetHandle() == nil {
		return nil, errors.New("curl_easy_init failed: out of memory")
	}
	r := C.ratmom_req_new(easy.GetHandle())
	if r == nil {
		easy.Cleanup()
		return nil, errors.New("out of memory")
	}
	return &Transfer{easy: easy, r: r}, nil
}

// Put gives t back. It must not run.
func (p *Pool) Put(t *Transfer) {
	C.ratmom_req_reset(t.r, flagInt(t.profile != nil))
	t.pin.Unpin()
	fit := C.ratmom_req_reusable(t.r) != 0
	p.mu.Lock()
	if keep := fit && !p.closed && len(p.free) < poolSize; keep {
		p.free = append(p.free, t)
		t = nil
	}
	p.mu.Unlock()
	if t != nil {
		t.free()
	}
}

// Close frees the idle handles; those still out are freed when they come back.
func (p *Pool) Close() {
	p.mu.Lock()
	free := p.free
	p.free, p.closed = nil, true
	p.mu.Unlock()
	p.urls.close()
	for _, t := range free {
		t.free()
	}
}

func (t *Transfer) free() {
	t.easy.Cleanup()
	t.parsed.release()
	C.ratmom_req_free(t.r)
	t.easy, t.r = nil, nil
}
