package resolve

import (
	"bufio"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// conf is what a call asks, and how.
type conf struct {
	servers  []netip.AddrPort
	timeout  time.Duration
	attempts int
	rotate   bool
}

const (
	dnsPort    = 53
	maxServers = 8
	maxConf    = 64 << 10 // bytes of the file that are read
	confEvery  = 5 * time.Second
)

// config is the conf of a call: the fields, and what the file says in place of those
// that are not set.
func (d *DNS) config() conf {
	c := conf{servers: d.Servers, timeout: d.Timeout, attempts: d.Attempts}
	if len(c.servers) > 0 && c.timeout > 0 && c.attempts > 0 {
		return c
	}
	path := d.ResolvConf
	if path == "" {
		path = "/etc/resolv.conf"
	}
	f := d.file.read(path)
	if len(c.servers) == 0 {
		c.servers = f.servers
		if f.rotate {
			at := rand.IntN(len(f.servers))
			c.servers = slices.Concat(f.servers[at:], f.servers[:at])
		}
	}
	if c.timeout == 0 {
		c.timeout = f.timeout
	}
	if c.attempts == 0 {
		c.attempts = f.attempts
	}
	return c
}

// confFile is a resolv.conf as it was read last. It is looked at again when some
// seconds have passed.
type confFile struct {
	mu      sync.Mutex
	checked time.Time
	changed time.Time
	size    int64
	conf    conf
}

func (f *confFile) read(path string) conf {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if !f.checked.IsZero() && now.Sub(f.checked) < confEvery {
		return f.conf
	}
	first := f.checked.IsZero()
	f.checked = now
	info, err := os.Stat(path)
	if err == nil && !first && info.ModTime().Equal(f.changed) && info.Size() == f.size {
		return f.conf
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	if err != nil {
		// What a file said that is being replaced holds on.
		if first {
			f.conf = parseConf(strings.NewReader(""))
		}
		return f.conf
	}
	defer func() { _ = file.Close() }()
	f.changed, f.size = info.ModTime(), info.Size()
	f.conf = parseConf(file)
	return f.conf
}

// parseConf reads a resolv.conf(5). What it does not know, it passes over.
func parseConf(r io.Reader) conf {
	c := conf{timeout: 5 * time.Second, attempts: 2}
	lines := bufio.NewScanner(io.LimitReader(r, maxConf))
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "#") || strings.HasPrefix(line, ";") {
			continue
		}
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch words[0] {
		case "nameserver":
			if addr, err := netip.ParseAddr(words[1]); err == nil && len(c.servers) < maxServers {
				c.servers = append(c.servers, netip.AddrPortFrom(addr, dnsPort))
			}
		case "options":
			for _, option := range words[1:] {
				c.option(option)
			}
		}
	}
	if len(c.servers) == 0 {
		c.servers = []netip.AddrPort{
			netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), dnsPort),
			netip.AddrPortFrom(netip.IPv6Loopback(), dnsPort),
		}
	}
	return c
}

// option sets an option; the limits are those of resolv.conf(5).
func (c *conf) option(option string) {
	key, value, _ := strings.Cut(option, ":")
	n, err := strconv.Atoi(value)
	switch {
	case key == "rotate":
		c.rotate = true
	case key == "timeout" && err == nil && n > 0:
		c.timeout = time.Duration(min(n, 30)) * time.Second
	case key == "attempts" && err == nil && n > 0:
		c.attempts = min(n, 5)
	}
}
