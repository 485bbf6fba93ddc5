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
		for r := range o.raw() {
			payload := r.payload
			out := Record{Opt: r.opt}
			switch r.kind {
			case opLong, opOffT:
				out.Value = r.long()
			case opString:
				out.Value = string(payload[:len(payload)-1])
			case opNull:
			case opList:
				items := make([]string, 0, r.n)
				for range r.n {
					l := int(binary.NativeEndian.Uint32(payload))
					items = append(items, string(payload[4:4+l]))
					payload = payload[4+l+1:]
				}
				out.Value = items
			case opBlob:
				out.Value = append([]byte{}, payload...)
			default:
				panic(fmt.Sprintf("cgo: record of kind %d", r.kind))
			}
			if !yield(out) {
				return
			}
		}
	}
}

// rawRecord is an option as it is packed.
type rawRecord struct {
	kind    uint32
	opt     Opt
	n       int // items of a list
	payload []byte
}

// long is the value of one that is a number, or 0.
func (r *rawRecord) long() int64 {
	if len(r.payload) != 8 {
		return 0
	}
	return int64(binary.NativeEndian.Uint64(r.payload))
}

func (o *Options) raw() iter.Seq[rawRecord] {
	return func(yield func(rawRecord) bool) {
		u32 := binary.NativeEndian.Uint32
		for b := o.buf; len(b) > 0; {
			size := int(u32(b[8:]))
			r := rawRecord{kind: u32(b), opt: Opt(u32(b[4:])), n: int(u32(b[12:])), payload: b[16 : 16+size]}
			if !yield(r) {
				return
			}
			b = b[16+(size+7)&^7:]
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
