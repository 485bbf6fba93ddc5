package body

import (
	"errors"
	"io"
	"mime"
	"os"
	"path/filepath"
	"sync/atomic"
)

// File is what is in the file of that name, with the type that its extension
// stands for, application/octet-stream if it is not known. The file's size is taken
// now and is the body's length: a file that grows or shrinks until it has been sent
// fails the request. It is opened when the body is asked for, each time anew.
//
// What is no regular file, such as a pipe, has no length and can be sent one time
// only. A directory is an error.
func File(name string) *Content {
	info, err := os.Stat(name)
	if err != nil {
		return failed(err)
	}
	if info.IsDir() {
		return failed(&os.PathError{Op: "read", Path: name, Err: errors.New("is a directory")})
	}
	kind := mime.TypeByExtension(filepath.Ext(name))
	if kind == "" {
		kind = octets
	}
	length := int64(-1)
	if info.Mode().IsRegular() {
		length = info.Size()
	}
	c := FromFunc(kind, length, func() (io.ReadCloser, error) { return os.Open(name) })
	if length < 0 {
		c.once = new(atomic.Bool)
	}
	return c
}

const octets = "application/octet-stream"
