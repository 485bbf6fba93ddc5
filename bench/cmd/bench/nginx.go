package main

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ratmom/ratmom/bench/internal/serve"
)

const bigBytes = 1 << 30

// nginx serves files of three sizes over HTTP/1.1, TLS and HTTP/2.
type nginx struct {
	dir           string
	origins       map[protocol]string
	full, resumed string // origins that resume no TLS session, and that note who did
	cmd           *exec.Cmd
	log           bytes.Buffer
	stopped       sync.Once
}

// The cipher is fixed: left to themselves OpenSSL asks for AES-256 and Go for
// AES-128, and the peers would not do the same work. The user is named, since
// a worker that gave up root could not read a private temporary directory.
const nginxConf = `
daemon off;
worker_processes %[9]s;
%[1]s
pid nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
  access_log off;
  log_format reuse '$ssl_session_reused';
  sendfile on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  ssl_certificate cert.pem;
  ssl_certificate_key key.pem;
  ssl_protocols TLSv1.3;
  ssl_conf_command Ciphersuites %[2]s;
  http2_max_concurrent_streams %[8]d;
  root %[6]s;
  server {
    listen 127.0.0.1:%[3]d backlog=4096;
    listen 127.0.0.1:%[4]d ssl backlog=4096;
    listen 127.0.0.1:%[5]d ssl http2 backlog=4096;
  }
  server {
    listen 127.0.0.1:%[7]d ssl backlog=4096;
    ssl_session_cache off;
    ssl_session_tickets off;
  }
  server {
    listen 127.0.0.1:%[10]d ssl backlog=4096;
    access_log reuse.log reuse;
  }
}
`

// startNginx starts it on one core, or on any if core is empty, with so many workers.
func startNginx(core, workers, cipher string) (*nginx, error) {
	program, err := exec.LookPath("nginx")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/nginx"); err != nil {
			return nil, fmt.Errorf("the benchmark needs nginx (apt install nginx-light): %w", err)
		}
	}
	dir, err := os.MkdirTemp("", "ratmom-bench-")
	if err != nil {
		return nil, err
	}
	n := &nginx{dir: dir}
	if err := n.start(program, core, workers, cipher); err != nil {
		n.stop()
		return nil, fmt.Errorf("starting nginx: %w\n%s", err, n.log.String())
	}
	return n, nil
}

func (n *nginx) start(program, core, workers, cipher string) error {
	if err := certify(n.dir); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(n.dir, "small"), []byte(serve.Small), 0o600); err != nil {
		return err
	}
	for name, size := range map[string]int64{"middle": 100_000, "big": bigBytes} {
		name = filepath.Join(n.dir, name)
		if err := os.WriteFile(name, nil, 0o600); err != nil {
			return err
		}
		if err := os.Truncate(name, size); err != nil { // sparse
			return err
		}
	}
	ports, err := freePorts(5)
	if err != nil {
		return err
	}
	user := ""
	if os.Geteuid() == 0 {
		user = "user root;"
	}
	conf := fmt.Sprintf(nginxConf, user, cipher, ports[0], ports[1], ports[2], n.dir,
		ports[3], serve.Streams, workers, ports[4])
	if err := os.WriteFile(filepath.Join(n.dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		return err
	}
	n.origins = map[protocol]string{
		h1:      fmt.Sprintf("http://127.0.0.1:%d", ports[0]),
		overTLS: fmt.Sprintf("https://127.0.0.1:%d", ports[1]),
		h2:      fmt.Sprintf("https://127.0.0.1:%d", ports[2]),
	}
	n.full = fmt.Sprintf("https://127.0.0.1:%d", ports[3])
	n.resumed = fmt.Sprintf("https://127.0.0.1:%d", ports[4])

	n.cmd = pinned(core, program, "-p", n.dir, "-c", "nginx.conf", "-e", "stderr")
	n.cmd.Stderr = &n.log
	if err := n.cmd.Start(); err != nil {
		return err
	}
	return answers(strings.TrimPrefix(n.origins[h1], "http://"))
}

func (n *nginx) ca() string { return filepath.Join(n.dir, "ca.pem") }

// reuse counts the requests to n.resumed, and those whose TLS session was resumed.
func (n *nginx) reuse() (resumed, all int) {
	b, _ := os.ReadFile(filepath.Join(n.dir, "reuse.log"))
	return bytes.Count(b, []byte("r\n")), bytes.Count(b, []byte("\n"))
}

func (n *nginx) stop() {
	n.stopped.Do(func() {
		if n.cmd != nil && n.cmd.Process != nil {
			_ = n.cmd.Process.Signal(syscall.SIGTERM)
			_ = n.cmd.Wait()
		}
		_ = os.RemoveAll(n.dir)
	})
}

func freePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close() // all at the end, so that no port comes twice
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func answers(addr string) error {
	for deadline := time.Now().Add(5 * time.Second); ; {
		c, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return c.Close()
		}
		if time.Now().After(deadline) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}
