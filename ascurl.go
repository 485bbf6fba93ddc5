package ratmom

import (
	"bytes"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"

	"github.com/ratmom/ratmom/body"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/handler"
	"github.com/ratmom/ratmom/internal/failure"
	"github.com/ratmom/ratmom/internal/valid"
)

// AsCurl is [Client.AsCurl] of the shared client, which it does not start.
func AsCurl(req *http.Request, opts ...config.RequestOption) (string, error) {
	c, err := config.NewClient()
	if err != nil {
		return "", wrapOption(err)
	}
	return asCurl(c, req, false, opts)
}

// AsCurl returns a curl command that sends what Send would, quoted for a POSIX shell, to try
// a request by hand or to show it. Secrets are masked: fields such as Authorization and Cookie,
// passwords, the userinfo of URLs. The body is as it is.
//
// A body is in the command if it can be had again (GetBody), has no NUL and not more than 64 KiB; else
// the command reads it from its standard input. Behind a # stands what curl has no argument for.
// Options that nothing of is seen on the wire are left out, and so is what interceptors do. Redirects
// are followed by curl's own rules. A HEAD request with a body is an error.
func (c *Client) AsCurl(req *http.Request, opts ...config.RequestOption) (string, error) {
	return asCurl(c.cfg, req, false, opts)
}

// AsCurlWithSecrets is AsCurl with nothing masked: the command does what Send does, and must not be
// shown to others.
func (c *Client) AsCurlWithSecrets(req *http.Request, opts ...config.RequestOption) (string, error) {
	return asCurl(c.cfg, req, true, opts)
}

// maxCurlBody is how much of a body the command holds, in bytes: a system takes 128 KiB of
// an argument.
const maxCurlBody = 64 << 10

func asCurl(client *config.ClientConfig, req *http.Request, secrets bool, opts []config.RequestOption) (string, error) {
	if req == nil || req.URL == nil {
		return "", failure.New(failure.InvalidRequest, "the request has no URL")
	}
	if err := valid.Request(req); err != nil {
		return "", err
	}
	cfg, err := client.Request(opts...)
	if err != nil {
		return "", wrapOption(err)
	}
	args, without, err := cfg.CurlArguments(req.URL, secrets)
	if err != nil {
		return "", failure.Wrap(failure.InvalidOption, err)
	}
	a := &curlLine{req: req, cfg: cfg, plan: handler.NewPlan(cfg, false), secrets: secrets, args: args, without: without}
	if err := a.message(); err != nil {
		return "", err
	}
	return a.String(), nil
}

// curlLine is a command in the making.
type curlLine struct {
	req     *http.Request
	cfg     *config.RequestConfig
	plan    *handler.Plan
	secrets bool
	args    []string
	without []string // options
}

func (a *curlLine) add(args ...string) { a.args = append(a.args, args...) }

func (a *curlLine) field(name, value string) {
	a.add("--header", config.CurlHeader(name, value, a.secrets))
}

// unset keeps curl from sending a field of its own.
func (a *curlLine) unset(name string) { a.add("--header", name+":") }

// String quotes the command for a shell.
func (a *curlLine) String() string {
	var b strings.Builder
	b.WriteString("curl")
	for _, s := range a.args {
		b.WriteByte(' ')
		b.WriteString(shellQuote(s))
	}
	if len(a.without) > 0 {
		b.WriteString(" # without " + strings.Join(a.without, ", "))
	}
	return b.String()
}

// shellQuote quotes what a shell would not leave as it is.
func shellQuote(s string) string {
	plain := func(c rune) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("-_./:@%+=,", c)
	}
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !plain(c) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// message adds the arguments for what is sent.
func (a *curlLine) message() error {
	req := a.req
	policy := a.plan.Redirect
	if policy.Max > 0 {
		a.add("--location", "--max-redirs", strconv.Itoa(policy.Max))
		if policy.AutoReferer {
			a.add("--referer", ";auto")
		}
	}
	if a.plan.Decompress {
		a.add("--compressed") // takes back what the field below asks for
	}
	if err := a.body(); err != nil {
		return err
	}
	a.header()
	if len(req.Trailer) > 0 {
		a.without = append(a.without, "trailers")
	}
	return a.url()
}

// body adds the method and the body.
func (a *curlLine) body() error {
	m := method(a.req)
	none := a.req.Body == nil || a.req.Body == http.NoBody
	switch {
	case m == http.MethodConnect:
		return failure.New(failure.InvalidRequest, "curl makes CONNECT requests for proxies only")
	case m == http.MethodHead && !none:
		return failure.New(failure.InvalidRequest, "curl would wait for a body in the response to a HEAD request with one")
	case m == http.MethodHead:
		a.add("--head")
	case m != http.MethodGet || !none:
		a.add("--request", m)
	}
	if none {
		if m == http.MethodPost || m == http.MethodPut || m == http.MethodPatch {
			a.data("")
		}
		return nil
	}
	if text, ok := bodyText(a.req); ok {
		a.data(text)
	} else if a.req.ContentLength > 0 {
		a.data("@-")
	} else {
		a.add("--upload-file", "-") // in chunks, for its length is not known
		a.expect()
	}
	return nil
}

// data adds a body of known length: "@-" is standard input.
func (a *curlLine) data(text string) {
	if text == "@-" {
		a.add("--data-binary", text)
	} else {
		a.add("--data-raw", text)
	}
	if len(a.req.Header["Content-Type"]) == 0 && len(a.plan.Defaults["Content-Type"]) == 0 {
		a.unset("Content-Type")
	}
	a.expect()
}

func (a *curlLine) expect() {
	if len(a.req.Header["Expect"]) > 0 {
		return
	}
	if _, off := a.req.Header["Expect"]; a.plan.Expect && !off && a.req.Body != nil && a.req.Body != http.NoBody {
		a.field("Expect", "100-continue")
	} else {
		a.unset("Expect")
	}
}

// bodyText returns the body if a command can hold it. It is read from a copy.
func bodyText(req *http.Request) (string, bool) {
	again := body.GetBody(req)
	if again == nil {
		return "", false
	}
	b, err := again()
	if err != nil {
		return "", false
	}
	defer b.Close()
	text, err := io.ReadAll(io.LimitReader(b, maxCurlBody+1))
	if err != nil || len(text) > maxCurlBody || bytes.IndexByte(text, 0) >= 0 || !utf8.Valid(text) || string(text) == "@-" ||
		req.ContentLength <= 0 {
		return "", false
	}
	return string(text), true
}

// header adds the fields, those of the request first.
func (a *curlLine) header() {
	req := a.req
	host := req.Host
	if host == "" && a.plan.ServerName != "" {
		host = req.URL.Host
	}
	if host != "" && (host != req.URL.Host || a.plan.ServerName != "") {
		a.field("Host", ascii(host))
	}
	has := func(name string) bool {
		for k := range req.Header {
			if k == name || a.plan.Raw && strings.EqualFold(k, name) {
				return true
			}
		}
		return false
	}
	agent, given := req.Header["User-Agent"]
	if a.plan.Raw {
		agent, given = nil, true // what the map has is sent with the rest
	}
	if !given {
		if agent, given = a.plan.Defaults["User-Agent"]; !given {
			agent = []string{a.plan.UserAgent}
		}
	}
	if len(agent) == 0 {
		agent = []string{""}
	}
	if !a.plan.Raw || !has("User-Agent") {
		a.add("--user-agent", agent[0])
	}
	a.fields(req.Header, nil)
	if !a.plan.Raw {
		a.fields(a.plan.Defaults, req.Header)
	}
	a.cookies()
	if a.plan.Range != "" && !has("Range") {
		a.field("Range", a.plan.Range)
	}
	if c := a.plan.Condition; c[0] != "" && !has(c[0]) {
		a.field(c[0], c[1])
	}
	if u := req.URL.User; u != nil && !has("Authorization") && !a.plan.Auth {
		password, _ := u.Password()
		if !a.secrets {
			password = "xxxxx"
		}
		name := "xxxxx"
		if a.secrets {
			name = u.Username()
		}
		a.add("--user", name+":"+password)
	}
	if req.Close && !has("Connection") {
		a.field("Connection", "close")
	}
	accept, given := req.Header["Accept"]
	if !given {
		accept, given = a.plan.Defaults["Accept"]
	}
	if len(accept) == 0 && (given || a.plan.Raw) && (!a.plan.Raw || !has("Accept")) {
		a.unset("Accept")
	}
	switch {
	case !a.plan.Decompress, has("Accept-Encoding"):
	case a.plan.Raw, has("Range"), a.plan.Range != "", method(req) == http.MethodHead:
		a.unset("Accept-Encoding")
	default:
		a.field("Accept-Encoding", "gzip, deflate, br, zstd")
	}
}

// fields adds those of h that are not in over, in the order of their names.
func (a *curlLine) fields(h, over http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		key := name
		if a.plan.Raw {
			key = http.CanonicalHeaderKey(name)
		}
		if a.plan.Sets(name) || key == "Cookie" && a.plan.Jar != nil { // that one with the jar's
			continue
		}
		if _, has := over[name]; has {
			continue
		}
		shown := name
		if a.plan.TitleCase {
			shown = http.CanonicalHeaderKey(name)
		}
		for _, v := range h[name] {
			a.field(shown, strings.Trim(v, " \t"))
		}
	}
}

func (a *curlLine) cookies() {
	if a.plan.Jar == nil {
		return
	}
	get, _ := fields(a.plan.Jar)
	if field := get(a.req); field != "" {
		a.field("Cookie", field)
	} else if own := a.req.Header.Get("Cookie"); own != "" {
		a.field("Cookie", own)
	}
}

// url adds the URL, and what keeps curl from changing it.
func (a *curlLine) url() error {
	u := a.req.URL
	host := ascii(u.Host)
	if name := a.plan.ServerName; name != "" && u.Scheme == "https" {
		port := handler.Port(u)
		to := net.JoinHostPort(u.Hostname(), port)
		a.add("--connect-to", name+":"+port+":"+to)
		host = name + ":" + port
	}
	target := a.plan.Target
	if target == "" {
		target = u.RequestURI()
	}
	if strings.Contains(target, "/.") {
		a.add("--path-as-is")
	}
	proxied := false // by one that is told the URL
	if u.Scheme == "http" {
		p, err := a.cfg.ProxyFor(u)
		if err != nil {
			return err
		}
		proxied = p != nil && strings.HasPrefix(p.Scheme, "http") && !a.plan.Tunnel
	}
	if !handler.PlainTarget(target) || proxied && a.plan.Target != "" {
		if proxied && a.plan.Target == "" && strings.HasPrefix(target, "/") {
			target = u.Scheme + "://" + host + target // a proxy wants the absolute form
		}
		a.add("--request-target", target)
		target = "/"
	}
	whole := u.Scheme + "://" + host + target
	if strings.ContainsAny(whole, "[]{}") {
		a.add("--globoff")
	}
	a.add(whole)
	return nil
}

// ascii is a host as libcurl is given it.
func ascii(host string) string {
	for i := range len(host) {
		if host[i] < 0x80 {
			continue
		}
		name, port, _ := strings.Cut(host, ":")
		if a, err := idna.Lookup.ToASCII(name); err == nil {
			if port != "" {
				a += ":" + port
			}
			return a
		}
		break
	}
	return host
}
