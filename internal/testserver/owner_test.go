package testserver

import (
	"fmt"
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProcess_knows_whether_it_is_the_one_that_listens(t *testing.T) {
	for _, n := range []*NginxServer{Nginx(t), Nginx(t, NginxMaster())} {
		own := portOf(t, n.URL[len("http://"):])
		require.NotEmpty(t, listening(own))
		assert.NoError(t, n.taken(own))
		l, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port := l.Addr().(*net.TCPAddr).Port
		assert.ErrorIs(t, n.taken(port), errTaken)
		require.NoError(t, l.Close())
		assert.NoError(t, n.taken(port), "nobody listens")
	}
}

func portOf(t *testing.T, addr string) int {
	t.Helper()
	a, err := net.ResolveTCPAddr("tcp", addr)
	require.NoError(t, err)
	return a.Port
}

func TestProcess_starts_elsewhere_when_its_port_is_taken_meanwhile(t *testing.T) {
	lookDaemon(t, "haproxy", "haproxy")
	dir := tempDir(t, "haproxy")
	var thief net.Listener
	d := &daemon{binary: "haproxy", of: "haproxy", ports: 1, dir: dir, configure: func(ports []int) []string {
		if thief == nil {
			var err error
			thief, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", ports[0]))
			require.NoError(t, err)
			t.Cleanup(func() { _ = thief.Close() })
		}
		conf := fmt.Sprintf("defaults\n\tmode http\n\ttimeout connect 5s\n\ttimeout client 5s\n\ttimeout server 5s\nfrontend f\n\tbind 127.0.0.1:%d\n", ports[0])
		return []string{"-db", "-W", "-f", writeFile(t, filepath.Join(dir, "haproxy.cfg"), []byte(conf), 0o644)}
	}}
	_, ports := d.start(t)
	assert.NotEqual(t, thief.Addr().(*net.TCPAddr).Port, ports[0])
}
