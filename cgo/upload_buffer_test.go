package cgo_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/internal/testserver"
)

// The address sanitizer sees the first byte too many; without it the heap is damaged.
func TestUpload_is_not_read_into_the_smaller_buffer_of_one_before(t *testing.T) {
	const size = 1 << 20
	gate := testserver.NewGate()
	shared := testserver.StartFunc(t, testserver.H2, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		assert.NoError(t, err)
		if r.Method == http.MethodGet {
			_ = gate.Wait(r.Context())
		}
	})
	own := testserver.StartFunc(t, testserver.H1, func(_ http.ResponseWriter, r *http.Request) {
		n, err := testserver.CheckPattern(r.Body)
		assert.NoError(t, err)
		assert.EqualValues(t, size, n)
	})
	body, err := io.ReadAll(testserver.Pattern(size))
	require.NoError(t, err)
	upload := func(r *run, o *cgo.Options) {
		r.BodyMemory(body)
		o.Long(cgo.OptUpload, 1)
		o.OffT(cgo.OptInFileSizeLarge, size)
		o.List(cgo.OptHTTPHeader, []string{"Expect:"})
	}

	d := newDriver(t)
	other := d.begin(shared.URL, overTLS(testserver.H2))
	d.wakeAt(gate, 1)
	d.until("the connection is in use", func() bool { return gate.Arrived() == 1 })
	r, res := d.get(shared.URL, func(r *run, setup *cgo.Setup, o *cgo.Options) {
		overTLS(testserver.H2)(r, setup, o)
		upload(r, o)
		o.Long(cgo.OptUploadBufferSize, 16<<10)
	})
	require.Zero(t, res.Code, res.Text)
	again, res := d.get(own.URL, func(r *run, _ *cgo.Setup, o *cgo.Options) { upload(r, o) })
	require.Zero(t, res.Code, res.Text)
	assert.Same(t, r.Transfer, again.Transfer, "another easy handle")
	gate.Open()
	require.Zero(t, d.finish(other).Code)
}
