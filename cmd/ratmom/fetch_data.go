package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// payload is the body to send: bytes, or a file, or a stream that can be sent
// once.
type payload struct {
	bytes  []byte
	file   string
	size   int64
	stream io.Reader
}

// payload reads what --data says; nil if there is none. A single file is not read
// into memory, nor is standard input if it goes to one URL.
func (f *fetchFlags) payload(stdin io.Reader, urls int) (*payload, error) {
	if len(f.data) == 0 {
		return nil, nil
	}
	if len(f.data) == 1 {
		name, isFile := strings.CutPrefix(f.data[0], "@")
		if isFile && name == "-" && urls == 1 {
			return &payload{stream: stdin}, nil
		}
		if isFile && name != "-" {
			info, err := os.Stat(name)
			if err != nil {
				return nil, fmt.Errorf("--data: %w", err)
			}
			if info.Mode().IsRegular() {
				return &payload{file: name, size: info.Size()}, nil
			}
		}
	}
	var parts [][]byte
	for _, d := range f.data {
		name, isFile := strings.CutPrefix(d, "@")
		part, err := []byte(d), error(nil)
		switch {
		case isFile && name == "-":
			part, err = io.ReadAll(stdin)
		case isFile:
			part, err = os.ReadFile(name)
		}
		if err != nil {
			return nil, fmt.Errorf("--data: %w", err)
		}
		parts = append(parts, part)
	}
	return &payload{bytes: bytes.Join(parts, []byte("&"))}, nil
}

// attach makes p the body of req.
func (p *payload) attach(req *http.Request) error {
	switch {
	case p.stream != nil:
		req.Body = io.NopCloser(p.stream)
		req.ContentLength = -1
		return nil
	case p.file != "":
		req.GetBody = func() (io.ReadCloser, error) { return os.Open(p.file) }
		req.ContentLength = p.size
	default:
		req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(p.bytes)), nil }
		req.ContentLength = int64(len(p.bytes))
	}
	if req.ContentLength == 0 {
		req.Body, req.GetBody = http.NoBody, nil
		return nil
	}
	var err error
	req.Body, err = req.GetBody()
	return err
}
