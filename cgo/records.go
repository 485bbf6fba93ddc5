package cgo

import (
	"encoding/binary"
	"fmt"
	"iter"
)

// Record is one option out of an [Options] list.
type Record struct {
	Opt Opt
	// Value is an int64, a string, a []string, a []byte (a blob) or nil (NULL).
	Value any
}

// Records decodes the list, in order, for tests and for debugging. Values may be
// secrets.
func (o *Options) Records() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		u32 := binary.NativeEndian.Uint32
		for b := o.buf; len(b) > 0; {
			kind, opt, size, n := u32(b), Opt(u32(b[4:])), int(u32(b[8:])), int(u32(b[12:]))
			payload := b[16 : 16+size]
			b = b[16+(size+7)&^7:]
			r := Record{Opt: opt}
			switch kind {
			case opLong, opOffT:
				r.Value = int64(binary.NativeEndian.Uint64(payload))
			case opString:
				r.Value = string(payload[:size-1])
			case opNull:
			case opList:
				items := make([]string, 0, n)
				for range n {
					l := int(u32(payload))
					items = append(items, string(payload[4:4+l]))
					payload = payload[4+l+1:]
				}
				r.Value = items
			case opBlob:
				r.Value = append([]byte{}, payload...)
			default:
				panic(fmt.Sprintf("cgo: record of kind %d", kind))
			}
			if !yield(r) {
				return
			}
		}
	}
}

// Records gives the options and their values, in order, for tests.
func (o *MultiOptions) Records() iter.Seq2[MultiOpt, int64] {
	return func(yield func(MultiOpt, int64) bool) {
		for _, s := range o.set {
			if !yield(s.opt, s.val) {
				return
			}
		}
	}
}
