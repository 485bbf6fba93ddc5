package dialling

import (
	"crypto/ed25519"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/ssh"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

// gateway is an SSH server that makes connections for its clients (RFC 4254,
// section 7.2).
type gateway struct {
	client   *ssh.Client
	channels atomic.Int64 // so far
	open     sync.WaitGroup
}

func startGateway(t testing.TB) *gateway {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	require.NoError(t, err)
	signer, err := ssh.NewSignerFromKey(key)
	require.NoError(t, err)
	server := &ssh.ServerConfig{NoClientAuth: true}
	server.AddHostKey(signer)
	g := &gateway{}
	address := listen(t, func(c net.Conn) {
		conn, channels, requests, err := ssh.NewServerConn(c, server)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		go ssh.DiscardRequests(requests)
		for ch := range channels {
			g.open.Go(func() { g.serve(ch) })
		}
	})
	g.client, err = ssh.Dial("tcp", address, &ssh.ClientConfig{HostKeyCallback: ssh.FixedHostKey(signer.PublicKey())})
	require.NoError(t, err)
	t.Cleanup(func() {
		_ = g.client.Close()
		g.open.Wait()
	})
	return g
}

// serve connects one channel.
func (g *gateway) serve(ch ssh.NewChannel) {
	var to struct {
		Host   string
		Port   uint32
		Origin string
		From   uint32
	}
	if err := ssh.Unmarshal(ch.ExtraData(), &to); err != nil || ch.ChannelType() != "direct-tcpip" {
		_ = ch.Reject(ssh.UnknownChannelType, "no")
		return
	}
	there, err := net.Dial("tcp", net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))))
	if err != nil {
		_ = ch.Reject(ssh.ConnectionFailed, err.Error())
		return
	}
	defer func() { _ = there.Close() }()
	here, requests, err := ch.Accept()
	if err != nil {
		return
	}
	g.channels.Add(1)
	go ssh.DiscardRequests(requests)
	var up sync.WaitGroup
	up.Go(func() {
		_, _ = io.Copy(there, here)
		_ = there.(*net.TCPConn).CloseWrite()
	})
	_, _ = io.Copy(here, there)
	_ = here.Close()
	up.Wait()
}

func TestDial_goes_through_SSH(t *testing.T) {
	testserver.Modes(t, func(t *testing.T, mode testserver.Mode) {
		s := testserver.StartFunc(t, mode, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) })
		g := startGateway(t)
		c := newClient(t, append(trust(s), config.DialContext(g.client.DialContext))...)
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() { assert.Equal(t, mode.Proto(), get(t, c, s.URL)) })
		}
		all.Wait()
		for range 5 {
			assert.Equal(t, mode.Proto(), get(t, c, s.URL))
		}
		assert.EqualValues(t, s.Accepted(), g.channels.Load())
		require.NoError(t, c.Close())
		assert.True(t, s.WaitClosed(soon), "the channels end with their connections")
	})
	t.Run("refused", func(t *testing.T) {
		g := startGateway(t)
		c := newClient(t, config.DialContext(g.client.DialContext))
		_, err := c.Send(request(t, http.MethodGet, "http://127.0.0.1:1/"))
		var refused *ssh.OpenChannelError
		require.ErrorAs(t, err, &refused)
		assert.Equal(t, ssh.ConnectionFailed, refused.Reason)
	})
}
