// Package msgptest has types for which tinylib/msgp has generated methods, to
// show that a grid carries them without knowing that package.
package msgptest

import "time"

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file types.go -io=false -tests=false

// Entry has a field of most kinds.
type Entry struct {
	Name    string            `msg:"n"`
	Size    int64             `msg:"s"`
	Changed time.Time         `msg:"c"`
	Share   float64           `msg:"f"`
	Deleted bool              `msg:"d"`
	Tags    map[string]string `msg:"t"`
	Parts   []Part            `msg:"p"`
	Sum     []byte            `msg:"h"`
}

// Part is written as an array.
//
//msgp:tuple Part
type Part struct {
	Number uint32
	Hash   [4]byte
}

// Names is a slice with methods of its own.
type Names []string

// Headers is a map with methods of its own.
type Headers map[string][]string
