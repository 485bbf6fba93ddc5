package handler

import (
	"encoding/binary"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/config"
)

func wireRecord(kind config.WireKind, data string) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(kind))
	return append(binary.NativeEndian.AppendUint32(b, uint32(len(data))), data...)
}

func TestWireLog_masks_a_secret_that_is_cut_between_records(t *testing.T) {
	var wg sync.WaitGroup
	var got strings.Builder
	l := wireLog{to: func(e config.WireEvent) { got.WriteString(e.String()) }, talk: NewConversation(&wg)}
	l.add(wireRecord(config.WireHeaderSent, "GET / HTTP/1.1\r\nAuthorization: Basic c2Vj"))
	l.add(wireRecord(config.WireHeaderSent, "cmV0\r\nHost: a\r\n\r\n"))
	wg.Wait()
	for _, s := range []string{got.String(), string(l.last())} {
		assert.Contains(t, s, "> GET / HTTP/1.1\n")
		assert.Contains(t, s, "> Host: a\n")
		assert.NotContains(t, s, "c2Vj")
		assert.NotContains(t, s, "cmV0")
	}
}
