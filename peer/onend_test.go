package peer

import (
	"log"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/body"
)

func TestOnEnd_is_called_once_for_whatever_end(t *testing.T) {
	s, m := plain(t, nil), openMap(t)
	ended := make(chan string, 16)
	end := func(name string) RequestOption { return OnEnd(func() { ended <- name }) }
	_, err := m.Do(request(t, http.MethodGet, s.URL), end("answered"))
	require.NoError(t, err)
	assert.Equal(t, "answered", await(t, ended))
	_, err = m.Do(request(t, http.MethodGet, "http://127.0.0.1:1/"), end("failed"))
	require.Error(t, err)
	assert.Equal(t, "failed", await(t, ended))
	r := m.Go(&http.Request{}, end("refused"))
	assert.Equal(t, "refused", await(t, ended))
	r.Cancel()
	assert.Empty(t, ended)
}

func TestCallbacks_that_panic_end_nothing_but_themselves(t *testing.T) {
	said, old := make(lines, 16), log.Writer()
	log.SetOutput(said)
	t.Cleanup(func() { log.SetOutput(old) })
	s, m := plain(t, nil), openMap(t)
	ended := make(chan struct{})
	req := request(t, http.MethodPost, s.URL)
	req.Body = body.String("content")
	res, err := m.Do(req,
		OnProgress(func(int64, int64) { panic("in OnProgress") }),
		OnUpload(func(int64, int64) { panic("in OnUpload") }),
		OnEnd(func() { defer close(ended); panic("in OnEnd") }),
	)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, res.Status)
	await(t, ended)
	for want := map[string]bool{"OnProgress": true, "OnUpload": true, "OnEnd": true}; len(want) > 0; {
		line := await(t, said)
		for where := range want {
			if strings.HasPrefix(line, "panic in "+where+": in "+where+"\n") {
				delete(want, where)
			}
		}
	}
}

// lines is a log.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	_, text, _ := strings.Cut(string(line), "panic")
	l <- "panic" + text
	return len(line), nil
}
