package listen

import (
	"fmt"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// beCrowded accepts with as good as no file descriptors, and says what it is told.
func beCrowded() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(os.Getpid(), "ready", l.Addr())
	limit := syscall.Rlimit{Cur: 20, Max: 20}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	var held []net.Conn
	p := Patient(l, func(err error, pause time.Duration) {
		fmt.Println(os.Getpid(), "short:", pause, err)
		for _, c := range held[:min(1, len(held))] {
			_ = c.Close()
			held = held[1:]
		}
	})
	for {
		c, err := p.Accept()
		if err != nil {
			return err
		}
		held = append(held, c)
		fmt.Println(os.Getpid(), "accepted")
	}
}

func TestPatient_goes_on_when_file_descriptors_come_back(t *testing.T) {
	g := start(t, "crowded")
	_, addresses := g.ready(t)
	const clients = 30
	for range clients {
		c, err := net.Dial("tcp", addresses[0])
		require.NoError(t, err)
		defer c.Close()
	}
	accepted, short := 0, 0
	for accepted < clients {
		_, words := g.next(t)
		if words == "accepted" {
			accepted++
			continue
		}
		assert.Contains(t, words, "short: 5ms")
		assert.Contains(t, words, "too many open files")
		short++
	}
	assert.Positive(t, short)
}
