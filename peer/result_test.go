package peer

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/handler"
)

// echoes answers with as many bytes as the query says, and a head and trailer that say so.
func echoes(t *testing.T) *server {
	return plain(t, func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.URL.RawQuery)
		w.Header().Set("Number", r.URL.RawQuery)
		if n%3 == 0 {
			w.Header().Set("Trailer", "Last")
		}
		_, _ = w.Write(bytes.Repeat([]byte{byte('a' + n%26)}, n))
		if n%3 == 0 {
			w.Header().Set("Last", r.URL.RawQuery)
		}
	})
}

func TestResult_stays_what_it_is_when_others_follow(t *testing.T) {
	s := echoes(t)
	m := openMap(t)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			results := make(map[int]*Result)
			for i := range 40 {
				n := (i*8 + g) * 31
				var opts []RequestOption
				switch i % 4 {
				case 0:
					opts = append(opts, KeepParts())
				case 1:
					opts = append(opts, Into(make([]byte, 1024), make([]byte, n)))
				}
				r, err := m.Do(request(t, http.MethodGet, s.URL+"/?"+fmt.Sprint(n)), opts...)
				if !assert.NoError(t, err) {
					return
				}
				assert.Equal(t, i%4 == 0, r.Parts != nil)
				assert.Equal(t, i%4 == 1, r.Head != nil)
				if i%4 == 0 {
					r.Content = bytes.Join(r.Parts, nil)
				} else { // it is the caller's
					r.Content = append(r.Content, 'z')[:len(r.Content)]
				}
				results[n] = r
			}
			for n, r := range results {
				assert.Equal(t, http.StatusOK, r.Status)
				assert.Equal(t, strings.Repeat(string(rune('a'+n%26)), n), string(r.Content))
				assert.Equal(t, fmt.Sprint(n), r.Header.Get("Number"))
				if n%3 == 0 {
					assert.Equal(t, fmt.Sprint(n), r.Trailer.Get("Last"))
				} else {
					assert.Empty(t, r.Trailer)
				}
			}
		})
	}
	wg.Wait()
}

func TestResult_has_no_more_content_than_there_may_be_however_it_came(t *testing.T) {
	s := echoes(t)
	m := openMap(t)
	for _, n := range []int{0, 1, 100, handler.SmallBody, handler.SmallBody + 1} {
		for _, most := range []int{0, 1, 99, 100, 101, handler.SmallBody, 1 << 20} {
			for range 4 {
				r, err := m.Do(request(t, http.MethodGet, s.URL+"/?"+fmt.Sprint(n)), MaxContent(int64(most)))
				if n > most {
					require.ErrorIs(t, err, ErrOverrun)
				} else {
					require.NoError(t, err)
					require.Len(t, r.Content, n)
				}
				r, err = m.Do(request(t, http.MethodGet, s.URL+"/?"+fmt.Sprint(n)), MaxContent(int64(most)), Truncate())
				require.NoError(t, err)
				require.Len(t, r.Content, min(n, most))
				require.Equal(t, n > most, r.Truncated)
			}
		}
	}
}
