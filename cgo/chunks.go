package cgo

/*
#include "ratmom.h"
*/
import "C"

import "unsafe"

// Chunks is a list of body bytes in C memory. Whoever holds it must read it to
// its end or Free it.
type Chunks struct {
	first, last *C.struct_ratmom_chunk
	n           int
}

// Len is the number of bytes left.
func (c *Chunks) Len() int { return c.n }

// Append moves the bytes of d behind those of c.
func (c *Chunks) Append(d Chunks) {
	if d.first == nil {
		return
	}
	if c.first == nil {
		*c = d
		return
	}
	// A server that sends byte by byte must not make a chunk of each.
	if room := int(c.last.cap - c.last.len); d.n <= room && d.n <= smallChunk && d.first == d.last {
		copy(payload(c.last)[c.last.len:], payload(d.first)[:d.n])
		c.last.len += C.uint32_t(d.n)
		c.n += d.n
		C.ratmom_chunk_put(d.first)
		return
	}
	c.last.next = d.first
	c.last = d.last
	c.n += d.n
}

// smallChunk is up to how many bytes Append copies rather than links.
const smallChunk = 8 * 1024

// Reader walks a list of chunks. The zero value is at the start of an empty list.
type Reader struct {
	Chunks
	off int // in the first chunk
}

// Read copies bytes to p and frees the chunks that are used up. It returns 0 when
// the list is empty.
func (c *Reader) Read(p []byte) int {
	n := 0
	var used, usedLast *C.struct_ratmom_chunk
	for n < len(p) && c.first != nil {
		k := c.first
		data := payload(k)[:k.len]
		m := copy(p[n:], data[c.off:])
		n += m
		c.off += m
		if c.off < len(data) {
			break
		}
		c.first, c.off = k.next, 0
		k.next = nil
		if usedLast == nil {
			used = k
		} else {
			usedLast.next = k
		}
		usedLast = k
	}
	if c.first == nil {
		c.last = nil
	}
	c.n -= n
	if used != nil {
		C.ratmom_chunk_put(used)
	}
	return n
}

// Free gives all memory back.
func (c *Reader) Free() {
	if c.first != nil {
		C.ratmom_chunk_put(c.first)
	}
	*c = Reader{}
}

const chunkHeader = unsafe.Sizeof(C.struct_ratmom_chunk{})

// payload is the whole memory of a chunk.
func payload(c *C.struct_ratmom_chunk) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(uintptr(unsafe.Pointer(c))+chunkHeader)), int(c.cap))
}

// Piece is the unread part of one chunk, taken out of its list.
type Piece struct {
	c   *C.struct_ratmom_chunk
	off int
}

// Next takes the first chunk out of the list.
func (c *Reader) Next() Piece {
	p := Piece{c.first, c.off}
	c.first, c.off = c.first.next, 0
	if c.first == nil {
		c.last = nil
	}
	p.c.next = nil
	c.n -= int(p.c.len) - p.off
	return p
}

// Bytes is the memory of the piece, until Free.
func (p Piece) Bytes() []byte { return payload(p.c)[p.off:p.c.len] }

// Free gives the memory back.
func (p Piece) Free() { C.ratmom_chunk_put(p.c) }
