package cgo

/*
#include "ratmom.h"

static CURLU *parse(const char *url) {
    CURLU *u = curl_url();
    if (u && curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS | CURLU_NON_SUPPORT_SCHEME)) {
        curl_url_cleanup(u);
        u = NULL;
    }
    return u;
}
*/
import "C"

import (
	"bytes"
	"hash/maphash"
	"sync"
	"sync/atomic"
	"unsafe"
)

// parsedURL is a URL as libcurl reads it. libcurl copies its parts for each
// transfer instead of parsing the URL, so that nothing may change it, and it must
// outlive the transfers that use it.
type parsedURL struct {
	c    *C.CURLU
	text []byte // with its NUL
	refs atomic.Int32
}

func (u *parsedURL) release() {
	if u != nil && u.refs.Add(-1) == 0 {
		C.curl_url_cleanup(u.c)
	}
}

const (
	urlSlots   = 512  // URLs kept
	maxURLKept = 2048 // bytes of one
)

// urlCache keeps the URLs that come again. One that is seen for the first time is
// only remembered by its hash: most programs fetch most URLs once.
type urlCache struct {
	mu    sync.Mutex
	seed  maphash.Seed
	slots []urlSlot
	over  bool // closed: a late request parses its URL itself
}

type urlSlot struct {
	seen uint64
	url  *parsedURL
}

// get returns the parsed form of text, which ends with a NUL, if it has been asked
// for lately. The caller releases it.
func (c *urlCache) get(text []byte) *parsedURL {
	if len(text) > maxURLKept || bytes.IndexByte(text, '%') >= 0 && bytes.IndexByte(text, '[') >= 0 {
		return nil // a copy would lose the zone of an IPv6 address
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return nil
	}
	if c.slots == nil {
		c.slots, c.seed = make([]urlSlot, urlSlots), maphash.MakeSeed()
	}
	h := maphash.Bytes(c.seed, text)
	s := &c.slots[h%urlSlots]
	if s.url != nil && bytes.Equal(s.url.text, text) {
		s.url.refs.Add(1)
		return s.url
	}
	if s.seen != h {
		s.seen = h
		return nil
	}
	p := C.parse((*C.char)(unsafe.Pointer(unsafe.SliceData(text))))
	if p == nil {
		return nil // the transfer will say why
	}
	s.url.release()
	s.url = &parsedURL{c: p, text: bytes.Clone(text)}
	s.url.refs.Store(2)
	return s.url
}

func (c *urlCache) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.slots {
		c.slots[i].url.release()
	}
	c.slots, c.over = nil, true
}
