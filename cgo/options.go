package cgo

/*
#include "ratmom.h"
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
	"unsafe"
)

// Opt is the number of an easy option, CURLOPT_*.
type Opt int32

// Kinds of packed records; they match enum ratmom_opkind in ratmom.h.
const (
	opLong = iota + 1
	opOffT
	opString
	opNull
	opList
	opBlob
	opPointer
)

// ErrNUL reports a string that holds a NUL byte, which C would cut short.
var ErrNUL = errors.New("contains a NUL byte")

// Options is a packed list of easy options: one cgo call sets them all. The
// last record for an option wins, so lists can be appended to one another to
// override. The zero value is an empty list.
//
// The layout of a record is: kind uint32, option int32, size uint32, pad uint32,
// payload, padded to 8 bytes. Strings carry their NUL, so that libcurl copies them
// straight from Go's memory.
type Options struct {
	buf []byte
	err error
}

// Err returns the first value that could not be packed.
func (o *Options) Err() error { return o.err }

// Bytes is the packed list, until it changes.
func (o *Options) Bytes() []byte { return o.buf }

// Len returns the packed size in bytes.
func (o *Options) Len() int { return len(o.buf) }

// Reset empties the list and keeps its memory.
func (o *Options) Reset() { o.buf, o.err = o.buf[:0], nil }

// Append adds all records of p after those of o.
func (o *Options) Append(p *Options) {
	o.buf = append(o.buf, p.buf...)
	if o.err == nil {
		o.err = p.err
	}
}

func (o *Options) head(kind uint32, opt Opt, size int) {
	b := binary.NativeEndian.AppendUint32(o.buf, kind)
	b = binary.NativeEndian.AppendUint32(b, uint32(opt))
	b = binary.NativeEndian.AppendUint32(b, uint32(size))
	o.buf = binary.NativeEndian.AppendUint32(b, 0)
}

func (o *Options) pad() {
	var zero [8]byte
	if n := len(o.buf) & 7; n != 0 {
		o.buf = append(o.buf, zero[n:]...)
	}
}

// Long packs an option that takes a long.
func (o *Options) Long(opt Opt, v int64) {
	o.head(opLong, opt, 8)
	o.buf = binary.NativeEndian.AppendUint64(o.buf, uint64(v))
}

// Bool packs a long option that is 0 or 1.
func (o *Options) Bool(opt Opt, v bool) {
	n := int64(0)
	if v {
		n = 1
	}
	o.Long(opt, n)
}

// OffT packs an option that takes a curl_off_t.
func (o *Options) OffT(opt Opt, v int64) {
	o.head(opOffT, opt, 8)
	o.buf = binary.NativeEndian.AppendUint64(o.buf, uint64(v))
}

// String packs an option that takes a string, the concatenation of parts; libcurl
// copies it.
func (o *Options) String(opt Opt, parts ...string) {
	n := 1
	for _, v := range parts {
		o.checkNUL(opt, v)
		n += len(v)
	}
	o.head(opString, opt, n)
	for _, v := range parts {
		o.buf = append(o.buf, v...)
	}
	o.buf = append(o.buf, 0)
	o.pad()
}

// Null packs the NULL pointer for an option that takes one.
func (o *Options) Null(opt Opt) { o.head(opNull, opt, 0) }

// List packs an option that takes a curl_slist. The transfer owns the list. An
// empty list sets NULL.
func (o *Options) List(opt Opt, items []string) {
	l := o.BeginList(opt)
	for _, s := range items {
		l.Add(s)
	}
	l.End()
}

// Blob packs an option that takes a curl_blob; libcurl copies the bytes.
func (o *Options) Blob(opt Opt, v []byte) {
	o.head(opBlob, opt, len(v))
	o.buf = append(o.buf, v...)
	o.pad()
}

// pointer packs an option that takes a pointer to C memory.
func (o *Options) pointer(opt Opt, p unsafe.Pointer) {
	o.head(opPointer, opt, 8)
	o.buf = binary.NativeEndian.AppendUint64(o.buf, uint64(uintptr(p)))
}

// firstString is the payload of the first record, its NUL included; nil if it is
// not a string.
func (o *Options) firstString() []byte {
	if len(o.buf) < 16 || binary.NativeEndian.Uint32(o.buf) != opString {
		return nil
	}
	return o.buf[16 : 16+binary.NativeEndian.Uint32(o.buf[8:])]
}

func (o *Options) checkNUL(opt Opt, v string) {
	if o.err == nil && strings.IndexByte(v, 0) >= 0 {
		o.err = fmt.Errorf("option %d: %w", opt, ErrNUL)
	}
}

// ListWriter packs the strings of one list without a slice of them. Begin one
// list at a time.
type ListWriter struct {
	o     *Options
	start int
	n     uint32
}

// BeginList starts a list option.
func (o *Options) BeginList(opt Opt) ListWriter {
	start := len(o.buf)
	o.head(opList, opt, 0)
	return ListWriter{o: o, start: start}
}

// Add appends the concatenation of parts as one string of the list.
func (l *ListWriter) Add(parts ...string) {
	n := 0
	for _, p := range parts {
		n += len(p)
	}
	b := binary.NativeEndian.AppendUint32(l.o.buf, uint32(n))
	for _, p := range parts {
		if l.o.err == nil && strings.IndexByte(p, 0) >= 0 {
			l.o.err = fmt.Errorf("list item: %w", ErrNUL)
		}
		b = append(b, p...)
	}
	l.o.buf = append(b, 0)
	l.n++
}

// End closes the list.
func (l *ListWriter) End() {
	b := l.o.buf
	binary.NativeEndian.PutUint32(b[l.start+8:], uint32(len(b)-l.start-16))
	binary.NativeEndian.PutUint32(b[l.start+12:], l.n)
	l.o.pad()
}

// MultiOptions is a list of options of the multi handle, CURLMOPT_*.
type MultiOptions struct {
	set        []multiOption
	maxPaused  uint32
	maxLookups uint32
	fast       time.Duration
}

type multiOption struct {
	opt MultiOpt
	val int64
}

// MultiOpt is the number of an option of the multi handle.
type MultiOpt int32

// Long adds an option that takes a long; the last value of an option wins.
func (o *MultiOptions) Long(opt MultiOpt, v int64) {
	o.set = append(o.set, multiOption{opt, v})
}

// MaxPaused has new requests keep off an HTTP/2 connection with n paused streams; 0:
// they do not mind.
func (o *MultiOptions) MaxPaused(n int) { o.maxPaused = uint32(n) }

// MaxLookups has no name looked up while n look-ups of the multi handle that were given
// up have not ended; 0: any number. Linux only.
func (o *MultiOptions) MaxLookups(n int) { o.maxLookups = uint32(n) }

// Fast has a body come in portions if 256 KiB of it have come within d; 0: 2 ms. Linux only.
func (o *MultiOptions) Fast(d time.Duration) { o.fast = d }
