package config

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// Netrc takes user names and passwords from the file at path, in the form of
// .netrc: the first entry for the host of the URL, or its default entry. "" is
// .netrc in the home directory (_netrc on Windows), which may be missing.
//
// The file is read when the option is made, here and not by libcurl, and must be
// a regular one. The scheme is Basic, or that of a [BasicAuth], [DigestAuth],
// [NTLMAuth], [AnyAuth] or [AnySafeAuth] with an empty name and password. Other
// ...Auth options win, and so do a user name in the URL and the request's own
// Authorization header. The target of a redirect to another origin gets nothing, not
// even from its own entry: whoever redirects must not decide what is done in our
// name.
//
// Default: none; [NoAuth] switches it off. CURLOPT_NETRC, CURLOPT_NETRC_FILE.
func Netrc(path string) Option {
	s := netrc{path: path}
	s.entries, s.err = readNetrc(path)
	return both(s)
}

type netrc struct {
	path    string
	entries []netrcEntry
	err     error
}

func (s netrc) String() string { return s.path }

func (s netrc) validate() error {
	if s.err != nil {
		return invalid("Netrc", s.path, "%v", s.err)
	}
	return nil
}

func readNetrc(path string) ([]netrcEntry, error) {
	if bad := badByte(path); bad != "" {
		return nil, errors.New(bad)
	}
	standard := path == ""
	if standard {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, err
		}
		name := ".netrc"
		if runtime.GOOS == "windows" {
			name = "_netrc"
		}
		path = filepath.Join(home, name)
	}
	data, err := readFile(path)
	switch {
	case standard && errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return parseNetrc(string(data))
}

// login returns the credentials for a request of u, by the scheme of a.
func (s netrc) login(a auth, u *url.URL) (credentials, bool) {
	c := credentials{schemes: a.schemes}
	if c.schemes == 0 {
		c.schemes = AuthBasic
	}
	for _, e := range s.entries {
		if !e.standard && !strings.EqualFold(e.host, u.Hostname()) {
			continue
		}
		c.user, c.password = e.user, e.password
		return c, true
	}
	return c, false
}

// wantsNetrc reports whether the file is asked for what the option does not say.
func (s auth) wantsNetrc() bool {
	return s.schemes&^passwordSchemes == 0 && s.user == "" && s.password == ""
}

func (s netrc) encodeTarget(o *cgo.Options, r *RequestConfig, t target) {
	a, set := lookup[auth](r)
	if len(s.entries) == 0 || !a.wantsNetrc() || t.url.User != nil || set && a.schemes == 0 {
		return
	}
	if c, ok := s.login(a, t.url); ok {
		o.Long(cgo.OptHTTPAuth, int64(c.schemes))
		o.String(cgo.OptUsername, c.user)
		o.String(cgo.OptPassword, c.password)
	}
}

// byHost reports whether what is packed depends on the URL's host.
func (s netrc) byHost() bool { return len(s.entries) > 0 }
