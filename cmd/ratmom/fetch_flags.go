package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/valid"
)

// fetchFlags are the flags of fetch. They are named like curl's where they mean
// the same.
type fetchFlags struct {
	// What to fetch, and how many at once.
	input    string
	demo     bool
	parallel number

	// Where to.
	output     string
	remoteName bool
	dir        string
	include    bool
	fail       bool
	raw        bool

	// The request.
	method  string
	head    bool
	headers []string
	data    []string
	user    string
	auth    string
	agent   string

	// The way.
	noFollow       bool
	maxRedirects   number
	insecure       bool
	cacert         string
	cert, key      string
	proxy          string
	maxTime        seconds
	connectTimeout seconds
	versions       [4]bool

	// What to tell.
	verbose  int
	silent   bool
	writeOut string
}

const defaultRedirects = 10

func (f *fetchFlags) flags() *pflag.FlagSet {
	s := pflag.NewFlagSet("fetch", pflag.ContinueOnError)
	s.SortFlags = false
	s.Usage = func() {} // who calls Parse prints what there is to print

	s.StringVar(&f.input, "input", "", "also fetch the URLs in `FILE`, one in a line; - is standard input")
	s.VarP(&f.parallel, "parallel", "j", "fetch `N` URLs at once (default 8; 1 if bodies go to standard output)")
	s.BoolVar(&f.demo, "demo", false, "fetch from a server within this program; URLs are then paths, / if there is none")

	s.StringVarP(&f.output, "output", "o", "", "write the body to `FILE`; - is standard output")
	s.BoolVarP(&f.remoteName, "remote-name", "O", false, "write each body to a file named like the end of its URL's path")
	s.StringVarP(&f.dir, "dir", "d", "", "the same in the folder `DIR`, which is made if need be")
	s.BoolVarP(&f.include, "include", "i", false, "write the response's head before the body")
	s.BoolVar(&f.fail, "fail", false, "take a status of 400 or more for a failure, and do not write its body")
	s.BoolVar(&f.raw, "raw", false, "ask for no compression, and undo none")

	s.StringVarP(&f.method, "request", "X", "", "send the method `METHOD` (default GET, or POST with --data)")
	s.BoolVarP(&f.head, "head", "I", false, "send HEAD, and write the head of the response")
	s.StringArrayVarP(&f.headers, "header", "H", nil, "send the field `'NAME: VALUE'`; 'NAME:' takes a default one away")
	s.StringArrayVar(&f.data, "data", nil, "send `TEXT`, or @FILE, or @- for standard input; several are joined by &")
	s.StringVarP(&f.user, "user", "u", "", "log in as `USER:PASSWORD`")
	s.StringVar(&f.auth, "auth", "basic", "log in by `SCHEME`: basic, digest, ntlm, or any of them")
	s.StringVarP(&f.agent, "user-agent", "A", "", "call the client `NAME`; '' sends none")

	s.BoolP("location", "L", true, "follow redirects, which is what happens anyway")
	s.BoolVar(&f.noFollow, "no-follow", false, "do not follow redirects")
	f.maxRedirects = defaultRedirects
	s.Var(&f.maxRedirects, "max-redirects", "follow at most `N` redirects")
	s.BoolVarP(&f.insecure, "insecure", "k", false, "accept any certificate of the server; anyone can then be in between")
	s.StringVar(&f.cacert, "cacert", "", "trust the certificate authorities in `FILE` (PEM), and no others")
	s.StringVar(&f.cert, "cert", "", "show the server the client certificate in `FILE` (PEM)")
	s.StringVar(&f.key, "key", "", "with the key in `FILE` (default: that of --cert)")
	s.StringVarP(&f.proxy, "proxy", "x", "", "go through the proxy `URL`: http, https, socks4, socks4a, socks5, socks5h;\n'' is none (default: as HTTP_PROXY, HTTPS_PROXY, NO_PROXY say)")
	s.Var(&f.maxTime, "max-time", "end a request after this `TIME`: 10, 1.5, 2m30s (default no limit)")
	s.Var(&f.connectTimeout, "connect-timeout", "limit the `TIME` to connect: name, TCP, TLS (default 300)")
	s.BoolVar(&f.versions[0], "http1.1", false, "speak HTTP/1.1")
	s.BoolVar(&f.versions[1], "http2", false, "speak HTTP/2 over TLS, if the server does")
	s.BoolVar(&f.versions[2], "http2-prior-knowledge", false, "speak HTTP/2 at once, also in clear text")
	s.BoolVar(&f.versions[3], "http3", false, "speak HTTP/3 if the server does, where this libcurl can")

	s.CountVarP(&f.verbose, "verbose", "v", "``show the conversation, secrets masked; twice, also bodies' and TLS's sizes")
	s.BoolVarP(&f.silent, "silent", "s", false, "show neither progress nor errors: the exit code tells")
	s.StringVarP(&f.writeOut, "write-out", "w", "", "json: print one line of metrics per URL (`FORMAT`)")
	return s
}

// check finds what does not fit together.
func (f *fetchFlags) check(set *pflag.FlagSet, urls int) error {
	switch {
	case urls == 0:
		return errors.New("no URL")
	case set.Changed("parallel") && f.parallel < 1:
		return fmt.Errorf("-j %d: must be at least 1", f.parallel)
	case f.output != "" && (f.remoteName || f.dir != ""):
		return errors.New("-o does not go with -O and -d")
	case f.output != "" && f.output != "-" && f.output != os.DevNull && urls > 1:
		return fmt.Errorf("-o %s: one file for %d URLs; -O or -d DIR makes one for each", f.output, urls)
	case f.writeOut != "" && f.writeOut != "json":
		return fmt.Errorf("-w %q: json is the only format", f.writeOut)
	case f.head && len(f.data) > 0:
		return errors.New("-I does not go with --data")
	case f.head && f.method != "" && f.method != http.MethodHead:
		return fmt.Errorf("-I does not go with -X %s", f.method)
	case f.key != "" && f.cert == "":
		return errors.New("--key without --cert")
	case f.user != "" && !strings.Contains(f.user, ":"):
		return errors.New("-u: a colon must stand between user and password")
	case f.maxRedirects < 0:
		return fmt.Errorf("--max-redirects %d: must not be negative", f.maxRedirects)
	}
	versions := 0
	for _, v := range f.versions {
		if v {
			versions++
		}
	}
	if versions > 1 {
		return errors.New("--http1.1, --http2, --http2-prior-knowledge and --http3 exclude one another")
	}
	switch f.auth {
	case "basic", "digest", "ntlm", "any":
	default:
		return fmt.Errorf("--auth %q: must be basic, digest, ntlm or any", f.auth)
	}
	if location, _ := set.GetBool("location"); !location {
		f.noFollow = true
	}
	if f.method != "" {
		if err := valid.Method(f.method); err != nil {
			return fmt.Errorf("-X: %w", err)
		}
	}
	h, _, err := f.header()
	if err != nil {
		return err
	}
	if err := valid.Header(h); err != nil {
		return fmt.Errorf("-H: %w", err)
	}
	return nil
}

// urls are those of the command line and the input file. base is the demo
// server's.
func (f *fetchFlags) urls(args []string, base string, stdin io.Reader) ([]string, error) {
	urls := args
	if f.input != "" {
		if f.input == "-" && f.data != nil && contains(f.data, "@-") {
			return nil, errors.New("standard input cannot have both the URLs and the data")
		}
		more, err := readURLs(f.input, stdin)
		if err != nil {
			return nil, err
		}
		urls = append(urls[:len(urls):len(urls)], more...)
	}
	if base == "" {
		return urls, nil
	}
	if len(urls) == 0 && f.input == "" {
		urls = []string{"/"}
	}
	whole := make([]string, len(urls))
	for i, u := range urls {
		if !strings.HasPrefix(u, "/") {
			return nil, fmt.Errorf("%s: with --demo, URLs are paths that begin with /", u)
		}
		whole[i] = base + u
	}
	return whole, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// maxLine is the longest line of a list of URLs, in bytes.
const maxLine = 1 << 20

// readURLs reads a list of URLs. Empty lines, and those that begin with #, are
// left out.
func readURLs(name string, stdin io.Reader) ([]string, error) {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("--input: %w", err)
		}
		defer func() { _ = file.Close() }()
		in = file
	}
	var urls []string
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine)
	for lines.Scan() {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			urls = append(urls, line)
		}
	}
	if err := lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("a line is longer than %d bytes", maxLine)
		}
		return nil, fmt.Errorf("--input %s: %w", name, err)
	}
	return urls, nil
}

// header returns the fields to send, and the Host.
func (f *fetchFlags) header() (h http.Header, host string, err error) {
	h = make(http.Header)
	for _, line := range f.headers {
		name, value, ok := strings.Cut(line, ":")
		name, value = http.CanonicalHeaderKey(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "":
			return nil, "", errors.New("-H: a header field is written 'NAME: VALUE'")
		case name == "Host":
			host = value
		case value == "":
			h[name] = nil
		default:
			h.Add(name, value)
		}
	}
	return h, host, nil
}

func (f *fetchFlags) version() config.Version {
	for i, v := range []config.Version{config.HTTP11, config.HTTP2, config.HTTP2PriorKnowledge, config.HTTP3} {
		if f.versions[i] {
			return v
		}
	}
	return config.HTTPDefault
}

func (f *fetchFlags) redirects() int {
	if f.noFollow {
		return 0
	}
	return int(f.maxRedirects)
}

func (f *fetchFlags) credentials() config.Option {
	user, password, _ := strings.Cut(f.user, ":")
	switch f.auth {
	case "digest":
		return config.DigestAuth(user, password)
	case "ntlm":
		return config.NTLMAuth(user, password)
	case "any":
		return config.AnyAuth(user, password)
	}
	return config.BasicAuth(user, password)
}

// number is a whole number.
type number int

// Type is part of pflag.Value; the help shows a name of its own instead.
func (n *number) Type() string { return "N" }

func (n *number) String() string { return strconv.Itoa(int(*n)) }

func (n *number) Set(text string) error {
	v, err := strconv.Atoi(text)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return errors.New("is out of range")
	case err != nil:
		return errors.New("must be a whole number")
	}
	*n = number(v)
	return nil
}

// seconds is a duration: a number of seconds, or as Go writes it.
type seconds struct{ time.Duration }

// Type is part of pflag.Value; the help shows a name of its own instead.
func (s *seconds) Type() string { return "TIME" }

// String leaves the default out of the help.
func (s *seconds) String() string { return "" }

func (s *seconds) Set(text string) error {
	d, err := time.ParseDuration(text)
	if n, numErr := strconv.ParseFloat(text, 64); numErr == nil {
		if math.IsNaN(n) || n > math.MaxInt64/1e9/2 {
			return errors.New("is out of range")
		}
		d, err = time.Duration(math.Ceil(n*1e9)), nil
	}
	if err != nil {
		return errors.New("must be a number of seconds, or like 1m30s")
	}
	if d < 0 {
		return errors.New("must not be negative")
	}
	s.Duration = d
	return nil
}
