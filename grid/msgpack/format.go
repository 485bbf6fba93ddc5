// Package msgpack has values of any type travel over a grid as MessagePack, by reflection: for
// types without generated code.
//
//	stat := grid.Single[StatReq, StatResp](HandlerStat, grid.UseFormat(msgpack.Format{}))
//
// It is a module of its own, on [github.com/shamaton/msgpack/v3], so that grids without
// it do not depend on that. Types for which tinylib/msgp has generated methods
// need no format: the grid uses the methods, which are two to four times faster.
package msgpack

import (
	"bytes"
	"fmt"

	"github.com/shamaton/msgpack/v3"
)

// Format is a grid.Format. Exported fields of structs are written, under their
// names or those of their msgpack tags.
type Format struct {
	// Arrays has structs written as arrays, without the names of their fields. That is shorter
	// and faster, and both sides must have the same fields in the same order.
	Arrays bool
}

// Append appends the MessagePack form of v to b.
func (f Format) Append(b []byte, v any) (_ []byte, err error) {
	defer recovered(&err)
	marshal := msgpack.MarshalAsMap
	if f.Arrays {
		marshal = msgpack.MarshalAsArray
	}
	more, err := marshal(v)
	return append(b, more...), err
}

// Decode sets what into points to. b must be one whole value, no deeper than
// [MaxDepth]. Memory is taken for no more elements than b has, each as large as its Go type.
func (f Format) Decode(b []byte, into any) (err error) {
	defer recovered(&err)
	if err := check(b); err != nil {
		return err
	}
	unmarshal := msgpack.UnmarshalAsMap
	if f.Arrays {
		unmarshal = msgpack.UnmarshalAsArray
	}
	// The decoder's strings and bytes are parts of what it was given.
	return unmarshal(bytes.Clone(b), into)
}

// recovered makes an error of a panic: version 3.1.0 panics on bytes where a
// slice of anything else is expected, and on map keys that cannot be keys.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("msgpack: %v", p)
	}
}
