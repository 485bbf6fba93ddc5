package testserver

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Hello is the content of /hello.txt of [Nginx] and [Apache]: 34 bytes.
const Hello = "Hello from a server of the tests.\n"

// NginxServer is a running nginx with one process. Paths:
//
//	/hello.txt         Hello
//	/NAME              a file made by File
//	/text.txt          compressible text of 100 KiB; gzip if asked for
//	/slow/NAME         the same files at 64 KiB a second
//	/close/NAME        the same, closing the connection after each
//	/upload            reads a Pattern and answers with its length, see Sink
//	/upload/buffered   the same, but only after nginx has the whole body
//	/early             answers at once and ignores a body
//	/silent            never answers
//	/redirect          302 to /hello.txt
//	/connections       counters of nginx, see Accepted
type NginxServer struct {
	*Process
	URL    string // HTTP/1.1
	TLSURL string // HTTP/1.1 and HTTP/2
	H2CURL string // HTTP/2 by prior knowledge
	Socket string // path of a Unix socket that speaks HTTP/1.1
	CAFile string
	CAPEM  []byte

	root string
}

// NginxOption alters the configuration of [Nginx].
type NginxOption func(*nginxSettings)

type nginxSettings struct {
	keepaliveRequests int
	keepaliveTimeout  time.Duration
	http, server      string
	cert              *Certificate
	master            bool
}

// NginxKeepalive makes nginx close a connection after so many requests or after
// being idle for so long (in whole seconds); 0 for "never" in both. An idle time
// below a second closes after each response.
func NginxKeepalive(requests int, idle time.Duration) NginxOption {
	return func(s *nginxSettings) { s.keepaliveRequests, s.keepaliveTimeout = requests, idle }
}

// NginxWith adds directives to the server block.
func NginxWith(directives string) NginxOption {
	return func(s *nginxSettings) { s.server += directives + "\n" }
}

// NginxHTTP adds directives to the http block.
func NginxHTTP(directives string) NginxOption {
	return func(s *nginxSettings) { s.http += directives + "\n" }
}

// NginxMaster runs nginx with a master that can [NginxServer.Reload].
func NginxMaster() NginxOption {
	return func(s *nginxSettings) { s.master = true }
}

// NginxCertificate serves TLS with another certificate.
func NginxCertificate(c *Certificate) NginxOption {
	return func(s *nginxSettings) { s.cert = c }
}

// Nginx starts an nginx.
func Nginx(t testing.TB, options ...NginxOption) *NginxServer {
	t.Helper()
	lookDaemon(t, "nginx", "nginx-light")
	s := &nginxSettings{}
	for _, o := range options {
		o(s)
	}
	a := LocalAuthority(t)
	if s.cert == nil {
		s.cert = a.Localhost(t)
	}
	dir := tempDir(t, "nginx")
	n := &NginxServer{
		CAFile: a.File(t), CAPEM: a.PEM,
		Socket: filepath.Join(dir, "socket"), root: filepath.Join(dir, "root"),
	}
	sink := Start(t, H1, Sink())
	silent := Raw(t, Silent())
	require.NoError(t, os.Mkdir(n.root, 0o755))
	writeFile(t, filepath.Join(n.root, "hello.txt"), []byte(Hello), 0o644)
	writeFile(t, filepath.Join(n.root, "text.txt"), []byte(strings.Repeat("one line of forty bytes, many times over\n", 2500)[:100<<10]), 0o644)
	writeFile(t, filepath.Join(dir, "cert.pem"), s.cert.CertPEM, 0o644)
	writeFile(t, filepath.Join(dir, "key.pem"), s.cert.KeyPEM, 0o600)
	d := &daemon{
		binary: "nginx", of: "nginx-light", ports: 3, dir: dir, sockets: []string{n.Socket},
		configure: func(ports []int) []string {
			_ = os.Remove(n.Socket)
			conf := s.config(dir, ports, sink.Addr, silent.Addr)
			writeFile(t, filepath.Join(dir, "nginx.conf"), []byte(conf), 0o644)
			return []string{"-p", dir, "-c", filepath.Join(dir, "nginx.conf"), "-e", "stderr"}
		},
	}
	var ports []int
	n.Process, ports = d.start(t)
	n.URL = fmt.Sprintf("http://127.0.0.1:%d", ports[0])
	n.TLSURL = fmt.Sprintf("https://localhost:%d", ports[1])
	n.H2CURL = fmt.Sprintf("http://127.0.0.1:%d", ports[2])
	return n
}

func (s *nginxSettings) config(dir string, ports []int, sink, silent string) string {
	requests := s.keepaliveRequests
	if requests == 0 {
		requests = 1_000_000_000
	}
	idle := "86400s"
	if s.keepaliveTimeout > 0 {
		idle = fmt.Sprintf("%ds", int(s.keepaliveTimeout/time.Second))
	}
	return strings.NewReplacer(
		"@DIR", dir, "@PORT", fmt.Sprint(ports[0]), "@TLS", fmt.Sprint(ports[1]), "@H2C", fmt.Sprint(ports[2]),
		"@SINK", sink, "@SILENT", silent, "@REQUESTS", fmt.Sprint(requests), "@IDLE", idle,
		"@HTTP", s.http, "@SERVER", s.server, "@MASTER", s.processes(),
	).Replace(nginxConfig)
}

// processes says how many there are. One without a master leaves nothing behind when it is killed.
func (s *nginxSettings) processes() string {
	switch {
	case !s.master:
		return "master_process off;"
	case os.Getuid() == 0:
		return "worker_processes 1; user root;" // the files are root's
	default:
		return "worker_processes 1;"
	}
}

const nginxConfig = `daemon off;
@MASTER
worker_rlimit_nofile 65536;
pid @DIR/nginx.pid;
error_log stderr error;
events { worker_connections 30000; }
http {
	access_log off;
	default_type application/octet-stream;
	types { text/plain txt; }
	sendfile on;
	tcp_nopush on;
	tcp_nodelay on;
	keepalive_requests @REQUESTS;
	keepalive_timeout @IDLE;
	client_max_body_size 0;
	client_body_temp_path @DIR/body;
	proxy_temp_path @DIR/proxy;
	fastcgi_temp_path @DIR/fastcgi;
	uwsgi_temp_path @DIR/uwsgi;
	scgi_temp_path @DIR/scgi;
	gzip_min_length 0;
	@HTTP
	server {
		listen 127.0.0.1:@PORT backlog=8192;
		listen 127.0.0.1:@TLS ssl http2 backlog=8192;
		listen 127.0.0.1:@H2C http2 backlog=8192;
		listen unix:@DIR/socket;
		server_name localhost;
		ssl_certificate @DIR/cert.pem;
		ssl_certificate_key @DIR/key.pem;
		ssl_session_cache builtin;
		root @DIR/root;
		location = /text.txt { gzip on; gzip_types text/plain; }
		location /slow/ { alias @DIR/root/; limit_rate 64k; }
		location /close/ { alias @DIR/root/; keepalive_timeout 0; }
		location = /upload {
			proxy_pass http://@SINK;
			proxy_http_version 1.1;
			proxy_request_buffering off;
		}
		location = /upload/buffered {
			proxy_pass http://@SINK;
			client_body_buffer_size 1m;
		}
		location = /early { return 200 "early"; }
		location = /silent { proxy_pass http://@SILENT; proxy_read_timeout 1d; }
		location = /redirect { return 302 /hello.txt; }
		location = /connections { stub_status; }
		@SERVER
	}
}
`

// In is the URL for a mode: of four listeners three differ.
func (n *NginxServer) In(mode Mode) string {
	switch {
	case mode.TLS():
		return n.TLSURL
	case mode == H2C:
		return n.H2CURL
	}
	return n.URL
}

// Reload has a new process take over; the old one ends when its clients have gone.
func (n *NginxServer) Reload() {
	n.t.Helper()
	require.NoError(n.t, syscall.Kill(n.PID(), syscall.SIGHUP))
}

// File makes a file of zeros that takes no room on the disk, and gives its path in
// a URL.
func (n *NginxServer) File(name string, size int64) string {
	n.t.Helper()
	path := filepath.Join(n.root, name)
	f, err := os.Create(path)
	require.NoError(n.t, err)
	require.NoError(n.t, f.Truncate(size))
	require.NoError(n.t, f.Close())
	require.NoError(n.t, os.Chmod(path, 0o644))
	return "/" + name
}

// Counters are how many connections nginx has accepted and how many requests it
// has read, this question's own included, and those of /upload and the readiness
// check's. Take differences.
func (n *NginxServer) Counters() (accepted, requests int) {
	n.t.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(n.URL + "/connections")
	require.NoError(n.t, err)
	defer func() { _ = resp.Body.Close() }()
	var active, handled int
	_, err = fmt.Fscanf(resp.Body, "Active connections: %d \nserver accepts handled requests\n %d %d %d", &active, &accepted, &handled, &requests)
	require.NoError(n.t, err)
	return accepted, requests
}
