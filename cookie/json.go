package cookie

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
	"unicode/utf8"
)

// JSON is a list of objects, a line for each cookie, that keeps all of a [Cookie]:
// "name", "value", "domain", "hostOnly", "path", "secure", "httpOnly", "sameSite" ("strict",
// "lax", "none"), and the times "expires", "created" and "used" after RFC 3339. What is false, empty or
// unknown is left out. "nameBase64" and "valueBase64" stand for what is not in UTF-8. Unknown
// fields are an error.
var JSON Format = jsonFormat{}

type jsonFormat struct{}

type jsonCookie struct {
	Name     string     `json:"name,omitempty"`
	Name64   []byte     `json:"nameBase64,omitempty"`
	Value    string     `json:"value,omitempty"`
	Value64  []byte     `json:"valueBase64,omitempty"`
	Domain   string     `json:"domain"`
	HostOnly bool       `json:"hostOnly,omitempty"`
	Path     jsonText   `json:"path"`
	Secure   bool       `json:"secure,omitempty"`
	HTTPOnly bool       `json:"httpOnly,omitempty"`
	SameSite string     `json:"sameSite,omitempty"`
	Expires  *time.Time `json:"expires,omitempty"`
	Created  *time.Time `json:"created,omitempty"`
	Used     *time.Time `json:"used,omitempty"`
}

// jsonText is bytes that are mostly text: what is not in UTF-8 has %XX in its place, as a
// path may.
type jsonText string

func (s jsonText) MarshalText() ([]byte, error) {
	var b []byte
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(string(s[i:]))
		if r == utf8.RuneError && n == 1 {
			b = fmt.Appendf(b, "%%%02X", s[i])
		} else {
			b = append(b, s[i:i+n]...)
		}
		i += n
	}
	return b, nil
}

var sameSiteNames = map[http.SameSite]string{
	http.SameSiteStrictMode: "strict", http.SameSiteLaxMode: "lax", http.SameSiteNoneMode: "none",
}

func (jsonFormat) write(w io.Writer, list []Cookie) error {
	b := bufio.NewWriter(w)
	between := "[\n"
	for i := range list {
		c := &list[i]
		o := jsonCookie{
			Domain: c.Domain, HostOnly: c.HostOnly, Path: jsonText(c.Path), Secure: c.Secure, HTTPOnly: c.HTTPOnly,
			SameSite: sameSiteNames[c.SameSite],
			Expires:  moment(c.Expires), Created: moment(c.Created), Used: moment(c.Used),
		}
		o.Name, o.Name64 = textOrBytes(c.Name)
		o.Value, o.Value64 = textOrBytes(c.Value)
		line, err := marshal(o)
		if err != nil {
			return err
		}
		_, _ = b.WriteString(between)
		_, _ = b.Write(line)
		between = ",\n"
	}
	if len(list) == 0 {
		_ = b.WriteByte('[')
	}
	_, _ = b.WriteString("\n]\n")
	return b.Flush()
}

// marshal leaves <, > and & as they are: values are full of them.
func marshal(o jsonCookie) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(o)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func textOrBytes(s string) (string, []byte) {
	if utf8.ValidString(s) {
		return s, nil
	}
	return "", []byte(s)
}

func (jsonFormat) read(r io.Reader) ([]Cookie, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	// The line of what comes next: the decoder does not say where in it an error is.
	counted, lines := 0, 1
	line := func() int {
		next := bytes.TrimLeft(data[d.InputOffset():], " \t\r\n,")
		end := len(data) - len(next)
		lines += bytes.Count(data[counted:end], []byte("\n"))
		counted = end
		return lines
	}
	at := line()
	fail := func(err error) ([]Cookie, error) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, &FormatError{at, err}
	}
	if t, err := d.Token(); err != nil {
		return fail(err)
	} else if t != json.Delim('[') {
		return fail(fmt.Errorf("%v where a list must begin", t))
	}
	var list []Cookie
	for at = line(); d.More(); at = line() {
		var o jsonCookie
		if err := d.Decode(&o); err != nil {
			return fail(err)
		}
		c, err := o.cookie()
		if err != nil {
			return fail(err)
		}
		list = append(list, *c)
	}
	if _, err := d.Token(); err != nil {
		return fail(err)
	}
	at = line()
	if _, err := d.Token(); err == nil {
		return fail(errors.New("more behind the list"))
	} else if !errors.Is(err, io.EOF) {
		return fail(err)
	}
	return list, nil
}

func (o *jsonCookie) cookie() (*Cookie, error) {
	c := &Cookie{
		Name: o.Name + string(o.Name64), Value: o.Value + string(o.Value64),
		Domain: o.Domain, HostOnly: o.HostOnly, Path: string(o.Path), Secure: o.Secure, HTTPOnly: o.HTTPOnly,
	}
	if o.Name != "" && o.Name64 != nil || o.Value != "" && o.Value64 != nil {
		return nil, errors.New("a text both as it is and in base64")
	}
	if o.SameSite != "" {
		if c.SameSite = parseSameSite(o.SameSite); c.SameSite == 0 {
			return nil, fmt.Errorf("sameSite %q: must be strict, lax or none", o.SameSite)
		}
	}
	for _, t := range []struct {
		from *time.Time
		to   *time.Time
	}{{o.Expires, &c.Expires}, {o.Created, &c.Created}, {o.Used, &c.Used}} {
		if t.from != nil {
			*t.to = t.from.UTC()
		}
	}
	if o.Expires != nil && c.Expires.Before(longAgo) {
		c.Expires = longAgo
	}
	return c, c.loaded()
}
