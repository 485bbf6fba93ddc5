package http3

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/quic-go/quic-go"
	h3 "github.com/quic-go/quic-go/http3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// visitVariable makes this program visit a URL instead of testing. The client is in a
// process of its own since quic-go's has data races (0.65, a stream that is opened while
// the server's parameters come), which are not for a test of a server to fail on.
const visitVariable = "RATMOM_HTTP3_VISIT"

// visitTwice says of a first and a resumed connection whether early data was used, and
// what the server said.
func visitTwice(url string) error {
	tickets := &ticketCache{ClientSessionCache: tls.NewLRUClientSessionCache(1), got: make(chan struct{}, 10)}
	config := &tls.Config{InsecureSkipVerify: true, ClientSessionCache: tickets}
	tokens := quic.NewLRUTokenStore(1, 1)
	visit := func(method string) error {
		tr := &h3.Transport{TLSClientConfig: config, QUICConfig: &quic.Config{TokenStore: tokens}}
		defer tr.Close()
		var conn *quic.Conn
		tr.Dial = func(ctx context.Context, addr string, tlsConfig *tls.Config, c *quic.Config) (*quic.Conn, error) {
			var err error
			conn, err = quic.DialAddrEarly(ctx, addr, tlsConfig, c)
			return conn, err
		}
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		req, err := http.NewRequestWithContext(ctx, method, url, nil)
		if err != nil {
			return err
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		said, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		fmt.Printf("%v %s\n", conn.ConnectionState().Used0RTT, said)
		return nil
	}
	if err := visit(http.MethodGet); err != nil {
		return err
	}
	select {
	case <-tickets.got:
	case <-time.After(patience):
		return fmt.Errorf("no session ticket came")
	}
	return visit(h3.MethodGet0RTT)
}

// ticketCache says when a session ticket has come.
type ticketCache struct {
	tls.ClientSessionCache
	got chan struct{}
}

func (c *ticketCache) Put(key string, s *tls.ClientSessionState) {
	c.ClientSessionCache.Put(key, s)
	if s != nil {
		select {
		case c.got <- struct{}{}:
		default:
		}
	}
}

func TestServer_takes_early_data_only_when_told(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, early := range []bool{false, true} {
		t.Run(fmt.Sprint(early), func(t *testing.T) {
			url := start(t, &Server{EarlyData: early, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				fmt.Fprint(w, r.Method)
			})})
			cmd := exec.Command(exe)
			cmd.Env = append(os.Environ(), visitVariable+"="+url, "GORACE=exitcode=0 log_path="+t.TempDir()+"/races")
			said, err := cmd.Output()
			require.NoError(t, err, "%s", said)
			assert.Equal(t, fmt.Sprintf("false GET\n%v GET\n", early), string(said))
		})
	}
}
