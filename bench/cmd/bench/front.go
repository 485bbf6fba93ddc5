package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// look finds a program where daemons are, too.
func look(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	return path, err
}

// Both keep their connections to the server, and take HTTP/2 over TLS where the clients speak it.
const (
	haproxyFront = `
global
  nbthread 1
  maxconn 2000
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  http-reuse always
frontend front
  bind ADDR TLS
  default_backend back
backend back
  server measured SERVER
`
	nginxFront = `
daemon off;
worker_processes 1;
USER
pid nginx.pid;
error_log stderr warn;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp; uwsgi_temp_path tmp; scgi_temp_path tmp;
  upstream measured { server SERVER; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen ADDR TLS;
    location / { proxy_pass http://measured; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`
)

// startFront starts who is in front of the server, beside the clients.
func (s *service) startFront(origin string) (served, error) {
	program, err := look(s.work.front)
	if err != nil {
		return served{}, err
	}
	ports, err := freePorts(1)
	if err != nil {
		return served{}, err
	}
	dir, err := os.MkdirTemp("", "ratmom-bench-")
	if err != nil {
		return served{}, err
	}
	front, err := s.runFront(program, dir, fmt.Sprintf("127.0.0.1:%d", ports[0]), strings.TrimPrefix(origin, h1.scheme()))
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return front, err
}

func (s *service) runFront(program, dir, addr, server string) (served, error) {
	conf, tls := haproxyFront, ""
	args := []string{"-db", "-f", "conf"}
	if s.flags.HTTP2 {
		if err := s.joinPair(filepath.Join(dir, "pair.pem")); err != nil {
			return served{}, err
		}
		tls = " ssl crt pair.pem alpn h2"
	}
	user := ""
	if s.work.front == "nginx" {
		conf, args = nginxFront, []string{"-p", dir, "-c", "conf", "-e", "stderr"}
		if tls != "" {
			tls = " ssl http2; ssl_certificate pair.pem; ssl_certificate_key pair.pem"
		}
		if os.Geteuid() == 0 {
			user = "user root;" // see nginxConf
		}
	}
	text := strings.NewReplacer("ADDR", addr, "SERVER", server, "TLS", tls, "USER", user).Replace(conf)
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(text), 0o600); err != nil {
		return served{}, err
	}
	var log bytes.Buffer
	cmd := pinned(s.loadCore, program, args...)
	cmd.Dir, cmd.Stderr, cmd.Stdout = dir, &log, &log
	stop := func() {
		if cmd.Process != nil {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
		}
		_ = os.RemoveAll(dir)
	}
	err := cmd.Start()
	if err == nil {
		err = answers(addr)
	}
	if err != nil {
		stop()
		return served{}, fmt.Errorf("starting %s: %w\n%s", s.work.front, err, log.String())
	}
	return served{s.protocol().scheme() + addr, cmd.Process.Pid, stop}, nil
}

// joinPair writes the certificate and its key into one file.
func (s *service) joinPair(name string) error {
	cert, err := os.ReadFile(s.flags.Cert)
	if err != nil {
		return err
	}
	key, err := os.ReadFile(s.flags.Key)
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(cert, key...), 0o600)
}
