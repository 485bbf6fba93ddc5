package parity

import (
	"io"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestFix_early_response_does_not_cut_the_upload(t *testing.T) {
	const size = 3 << 20
	// It answers as soon as it has the head, with a body that says what came.
	answer := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			ctl := http.NewResponseController(w)
			if r.ProtoMajor == 1 {
				_ = ctl.EnableFullDuplex()
			}
			w.WriteHeader(status)
			_ = ctl.Flush()
			n, err := testserver.CheckPattern(r.Body)
			if err != nil {
				_, _ = io.WriteString(w, err.Error())
				return
			}
			_, _ = io.WriteString(w, strconv.FormatInt(n, 10))
		}
	}
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		for _, status := range []int{200, 413, 500} {
			for _, known := range []bool{false, true} {
				t.Run(strconv.Itoa(status)+", known length "+strconv.FormatBool(known), func(t *testing.T) {
					s := testserver.Start(t, mode, answer(status))
					c := modeClient(t, s)
					gate := testserver.NewGate()
					length := int64(-1)
					if known {
						length = size
					}
					gate.Let(1) // a first piece, as libcurl sends the head with it
					r := body.Reader(testserver.GatedReader(t.Context(), gate, testserver.Pattern(size), 64<<10), length)
					resp := open(t, c, newRequest(t, "POST", s.URL, r))
					assert.Equal(t, status, resp.StatusCode)
					gate.Open() // the response is there, the rest of the upload follows
					b, err := resp.Bytes()
					require.NoError(t, err)
					assert.Equal(t, strconv.Itoa(size), string(b))
				})
			}
		}
	})
}

func TestFix_pauses_of_the_two_directions_do_not_lift_each_other(t *testing.T) {
	const size = 4 << 20
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		received := make(chan int64, 2)
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) {
			ctl := http.NewResponseController(w)
			_ = ctl.EnableFullDuplex()
			_ = ctl.Flush()
			up := make(chan int64)
			go func() {
				n, _ := testserver.CheckPattern(r.Body)
				up <- n
			}()
			_, _ = testserver.Pattern(size).WriteTo(w)
			_ = ctl.Flush()
			received <- <-up
		})
		c := modeClient(t, s)
		t.Run("the upload starves", func(t *testing.T) {
			gate := testserver.NewGate()
			gate.Let(1)
			r := body.Reader(testserver.GatedReader(t.Context(), gate, testserver.Pattern(size), 64<<10), -1)
			resp := open(t, c, newRequest(t, "POST", s.URL, r))
			// The whole of the download comes while the upload waits.
			part := make([]byte, size)
			_, err := io.ReadFull(resp.Body, part)
			require.NoError(t, err)
			gate.Open()
			require.EqualValues(t, size, done(t, received, "the upload"))
			require.NoError(t, resp.Discard())
		})
		t.Run("the download waits", func(t *testing.T) {
			resp := open(t, c, newRequest(t, "POST", s.URL, unknownLength{testserver.Pattern(size)}))
			// Nobody reads the download; the upload goes on.
			n, err := testserver.CheckPattern(resp.Body)
			require.NoError(t, err)
			assert.EqualValues(t, size, n)
			require.EqualValues(t, size, done(t, received, "the upload"))
		})
	}, testserver.H1, testserver.HTTPS1)
}
