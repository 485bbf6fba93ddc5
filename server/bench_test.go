package server

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// BenchmarkServer compares with net/http's server, each in a process of its own: requests per second,
// and the CPU time that the server took for one (which other programs on the machine disturb less).
func BenchmarkServer(b *testing.B) {
	for _, depth := range []int{1, 16} {
		for _, kind := range []string{"net/http", "ours", "ours, pipelining"} {
			b.Run(fmt.Sprintf("depth=%d/%s", depth, kind), func(b *testing.B) {
				addr, pid := child(b, kind)
				load(b, addr, depth, 1000)
				before := cpuTime(b, pid)
				b.ResetTimer()
				load(b, addr, depth, b.N)
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "req/s")
				b.ReportMetric(float64((cpuTime(b, pid)-before).Microseconds())/float64(b.N), "server-CPU-µs/req")
			})
		}
	}
}

// child starts the server of serveIdle in a process of its own.
func child(t testing.TB, kind string) (addr string, pid int) {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), idleServer+"="+kind)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	addr, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSpace(addr), cmd.Process.Pid
}

// cpuTime is what a process has used, user and kernel, in clock ticks of 10 ms.
func cpuTime(b *testing.B, pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond
}

// load keeps 16 connections busy, with depth requests at a time on each.
func load(b *testing.B, addr string, depth, n int) {
	request := []byte(strings.Repeat("GET /hello HTTP/1.1\r\nHost: a\r\nUser-Agent: bench\r\nAccept: */*\r\n\r\n", depth))
	var left atomic.Int64
	left.Store(int64(n))
	var done sync.WaitGroup
	for range 16 {
		done.Go(func() {
			nc, err := net.Dial("tcp", addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer func() { _ = nc.Close() }()
			buf := make([]byte, 64<<10)
			for left.Add(-int64(depth)) > -int64(depth) {
				if _, err := nc.Write(request); err != nil {
					b.Error(err)
					return
				}
				for seen := 0; seen < depth; {
					n, err := nc.Read(buf)
					if err != nil {
						b.Error(err)
						return
					}
					seen += strings.Count(string(buf[:n]), "/hello")
				}
			}
		})
	}
	done.Wait()
}
