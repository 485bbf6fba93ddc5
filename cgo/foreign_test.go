package cgo_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"unsafe"

	curl "github.com/andelf/go-curl"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/testserver"
)

// Whoever uses libcurl beside ratmom in one program has handles of his own, with pointers
// of his own in them, over HTTP/2 too: nothing may be read or written there. (early_end.c comes between libcurl and nghttp2.)
func TestHandles_of_others_in_the_program_are_left_alone(t *testing.T) {
	s := testserver.Start(t, testserver.H2, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "not for you")
	}))
	private, err := syscall.Mmap(-1, 0, os.Getpagesize(), syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	require.NoError(t, err)
	defer func() { _ = syscall.Munmap(private) }()
	for range 20 {
		e := curl.EasyInit()
		require.NotNil(t, e)
		var body strings.Builder
		for opt, value := range map[int]any{
			curl.OPT_URL: s.URL, curl.OPT_CAINFO: s.CAFile, curl.OPT_PROXY: "", curl.OPT_TIMEOUT: 60,
			curl.OPT_POSTFIELDS: strings.Repeat("x", 100_000),
			curl.OPT_PRIVATE:    curl.CurlString(unsafe.Pointer(unsafe.SliceData(private))),
			curl.OPT_WRITEFUNCTION: func(p []byte, _ any) bool {
				body.Write(p)
				return true
			},
		} {
			require.NoError(t, e.Setopt(opt, value))
		}
		// libcurl may drop the answer, as docs/limits.md says.
		if err := e.Perform(); err == nil {
			assert.Equal(t, "not for you", body.String())
		}
		e.Cleanup()
	}
}

// Others have the clock as it is, though step_clock.c comes between it and libcurl. (What they have of it and of
// poll outside of libcurl ctest/beside.c looks at.)
func TestTimes_of_others_in_the_program_are_theirs(t *testing.T) {
	s := testserver.Raw(t, testserver.Answer(testserver.OK("hello")))
	var over atomic.Bool
	var failed error
	var total, first float64
	var wait sync.WaitGroup
	wait.Go(func() {
		defer over.Store(true)
		e := curl.EasyInit()
		defer e.Cleanup()
		for opt, value := range map[int]any{
			curl.OPT_URL: s.URL, curl.OPT_PROXY: "", curl.OPT_TIMEOUT: 60,
			curl.OPT_WRITEFUNCTION: func([]byte, any) bool { return true },
		} {
			if failed = e.Setopt(opt, value); failed != nil {
				return
			}
		}
		for range 50 {
			if failed = e.Perform(); failed != nil {
				return
			}
			info, _ := e.Getinfo(curl.INFO_STARTTRANSFER_TIME)
			f, _ := info.(float64)
			info, _ = e.Getinfo(curl.INFO_TOTAL_TIME)
			t, _ := info.(float64)
			first, total = first+f, total+t
		}
	})
	d := newDriver(t)
	for !over.Load() {
		_, res := d.get(s.URL, nil)
		require.Zero(t, res.Code, res.Text)
	}
	wait.Wait()
	require.NoError(t, failed)
	assert.Positive(t, first)
	assert.Less(t, first, total)
}
