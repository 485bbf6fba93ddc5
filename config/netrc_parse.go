package config

import (
	"errors"
	"fmt"
	"strings"
)

// netrcEntry is what a .netrc says of one host, or of all others.
type netrcEntry struct {
	host           string
	standard       bool // "default"
	user, password string
}

// parseNetrc reads the form that ftp(1) and curl know: the words machine, default,
// login, password, account and macdef, each with its value. A value with blanks is
// put in double quotes, with a backslash before \ " n r t. A word that begins with #
// in the place of a keyword makes the rest of the line a comment. Errors name a line
// and no value.
func parseNetrc(text string) ([]netrcEntry, error) {
	var list []netrcEntry
	in := netrcReader{text: text, line: 1}
	for {
		word, ok, err := in.word()
		if err != nil {
			return nil, err
		}
		if !ok {
			if err := checkNetrc(list); err != nil {
				return nil, err
			}
			return list, nil
		}
		if strings.HasPrefix(word, "#") {
			in.skipLine()
			continue
		}
		if word == "default" {
			list = append(list, netrcEntry{standard: true})
			continue
		}
		switch word {
		case "machine", "login", "password", "account", "macdef":
		default:
			return nil, in.errorf("has a word that is no keyword")
		}
		if word != "machine" && word != "macdef" && len(list) == 0 {
			return nil, in.errorf("has a %s of no machine", word)
		}
		line := in.line
		value, ok, err := in.word()
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("line %d: has a %s without a value", line, word)
		}
		switch word {
		case "machine":
			list = append(list, netrcEntry{host: value})
		case "login":
			list[len(list)-1].user = value
		case "password":
			list[len(list)-1].password = value
		case "macdef":
			in.skipMacro()
		}
	}
}

func checkNetrc(list []netrcEntry) error {
	for _, e := range list {
		c := credentials{AuthBasic, e.user, e.password}
		if err := c.validate(""); err != nil {
			var bad *Error
			errors.As(err, &bad)
			return fmt.Errorf("%s of an entry: %s", e.name(), bad.Reason)
		}
	}
	return nil
}

func (e netrcEntry) name() string {
	if e.standard {
		return "default"
	}
	return fmt.Sprintf("machine %q", e.host)
}

// netrcReader gives the words of a file.
type netrcReader struct {
	text string // what is left
	line int
}

func (in *netrcReader) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %s", in.line, fmt.Sprintf(format, args...))
}

func (in *netrcReader) next() byte {
	c := in.text[0]
	in.text = in.text[1:]
	if c == '\n' {
		in.line++
	}
	return c
}

func isNetrcBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (in *netrcReader) word() (word string, ok bool, err error) {
	for in.text != "" && isNetrcBlank(in.text[0]) {
		in.next()
	}
	if in.text == "" {
		return "", false, nil
	}
	if in.text[0] == '"' {
		word, err = in.quoted()
		return word, err == nil, err
	}
	end := strings.IndexAny(in.text, " \t\r\n")
	if end < 0 {
		end = len(in.text)
	}
	word, in.text = in.text[:end], in.text[end:]
	return word, true, nil
}

func (in *netrcReader) quoted() (string, error) {
	start := in.line
	in.next()
	var b strings.Builder
	for in.text != "" {
		c := in.next()
		switch {
		case c == '"':
			return b.String(), nil
		case c == '\\' && in.text != "":
			c = in.next()
			switch c {
			case 'n':
				c = '\n'
			case 'r':
				c = '\r'
			case 't':
				c = '\t'
			}
		}
		b.WriteByte(c)
	}
	return "", fmt.Errorf("line %d: has a quote that does not end", start)
}

func (in *netrcReader) skipLine() {
	for in.text != "" && in.text[0] != '\n' {
		in.next()
	}
}

// skipMacro skips to behind the next empty line.
func (in *netrcReader) skipMacro() {
	in.skipLine()
	for in.text != "" {
		in.next() // the line's end
		start := in.text
		in.skipLine()
		if strings.Trim(start[:len(start)-len(in.text)], " \t\r") == "" {
			return
		}
	}
}
