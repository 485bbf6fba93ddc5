package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/cgo"
)

func TestParseNetrc_reads_what_curl_and_ftp_read(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []netrcEntry
	}{
		{"nothing", " \n\t\r\n", nil},
		{"one line", "machine h login u password p", []netrcEntry{{host: "h", user: "u", password: "p"}}},
		{"many lines", "machine h\n\tlogin u\r\n\tpassword p\r\n", []netrcEntry{{host: "h", user: "u", password: "p"}}},
		{"another order", "machine h password p account a login u", []netrcEntry{{host: "h", user: "u", password: "p"}}},
		{"two and the rest", "machine a login 1\nmachine b password 2\ndefault login 3 password 4\n", []netrcEntry{
			{host: "a", user: "1"}, {host: "b", password: "2"}, {standard: true, user: "3", password: "4"},
		}},
		{"quotes", `machine h login "a b" password "\"\\x y"`, []netrcEntry{{host: "h", user: "a b", password: `"\x y`}}},
		{"a quote within a word", `machine h password a"b"`, []netrcEntry{{host: "h", password: `a"b"`}}},
		{"comments", "# machine x\nmachine h # the host\nlogin u\n#login v\npassword #p\n", []netrcEntry{{host: "h", user: "u", password: "#p"}}},
		{"a host called default", "machine default login u", []netrcEntry{{host: "default", user: "u"}}},
		{"a password called password", "machine h password password login login", []netrcEntry{{host: "h", user: "login", password: "password"}}},
		{
			"macros", "macdef init\nmachine x login y\n\nmachine h login u\nmacdef a\n\tput password\n \nmachine i login v",
			[]netrcEntry{{host: "h", user: "u"}, {host: "i", user: "v"}},
		},
		{"a macro to the end", "machine h login u\nmacdef a\nmachine", []netrcEntry{{host: "h", user: "u"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseNetrc(c.text)
			require.NoError(t, err)
			assert.Equal(t, c.want, got)
		})
	}
}

func TestParseNetrc_says_where_it_is_wrong_without_a_value(t *testing.T) {
	for text, why := range map[string]string{
		"machine h\nlogin u passwort s3cret":          "line 2: has a word that is no keyword",
		"login s3cret":                                "line 1: has a login of no machine",
		"\n\npassword s3cret":                         "line 3: has a password of no machine",
		"machine h\npassword":                         "line 2: has a password without a value",
		"machine":                                     "line 1: has a machine without a value",
		"macdef":                                      "line 1: has a macdef without a value",
		"machine h password \"s3cret":                 "line 1: has a quote that does not end",
		"machine h\npassword \"s3cret\\":              "line 2: has a quote that does not end",
		"machine h login \"s3cret\\r\\nx: y\"":        `machine "h" of an entry: the user name has the control character`,
		"default password s3cret\x00":                 "default of an entry: the password has the control character",
		"machine h login s3cret:x":                    "has a colon",
		"machine h password s3cret s3cret login user": "line 1: has a word that is no keyword",
	} {
		_, err := parseNetrc(text)
		require.ErrorContains(t, err, why, text)
		assert.NotContains(t, err.Error(), "s3cret", text)
	}
}

func FuzzParseNetrc(f *testing.F) {
	f.Add("machine h login u password p\ndefault login \"a\\tb\" # x\nmacdef m\nx\n\nmachine i")
	f.Add("machine \"")
	f.Add("macdef a\n\n#\r\nmachine a account \\ login b")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseNetrc(text)
		if err != nil {
			require.Nil(t, list)
			require.NotContains(t, err.Error(), "\n")
			return
		}
		for _, e := range list {
			require.Empty(t, badByte(e.user)+badByte(e.password))
			require.True(t, e.standard || e.user == "" || strings.Contains(text, "login"))
		}
	})
}

func netrcFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "netrc")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestNetrc_gives_a_host_its_own_and_others_the_default(t *testing.T) {
	path := netrcFile(t, "machine example.org login a password b\nmachine EXAMPLE.org login x\nmachine two.org password c\ndefault login d password e\n")
	c := client(t, Netrc(path))
	for u, want := range map[string][]string{
		"http://example.org/":      {"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD b", "CURLOPT_USERNAME a"},
		"https://EXAMPLE.org:444/": {"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD b", "CURLOPT_USERNAME a"},
		"http://two.org/":          {"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD c", "CURLOPT_USERNAME "},
		"http://three.org/":        {"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD e", "CURLOPT_USERNAME d"},
		"http://me@example.org/":   nil, // the URL's own
		"http://me:p@example.org/": nil,
	} {
		assert.Equal(t, want, credentialsIn(records(t, c.Defaults(), u)), u)
	}
	// What depends on the host is not taken from what was packed for others.
	var o cgo.Options
	require.NoError(t, c.Defaults().EncodeTarget(&o, mustParse(t, "http://example.org/")))
	assert.Contains(t, string(o.Bytes()), "b\x00")

	alone := client(t, Netrc(netrcFile(t, "machine example.org login a password b")))
	assert.Nil(t, credentialsIn(records(t, alone.Defaults(), "http://other.org/")))
	assert.Nil(t, credentialsIn(records(t, alone.Defaults(), "http://sub.example.org/")))
}

func credentialsIn(lines []string) (found []string) {
	for _, l := range lines {
		if strings.HasPrefix(l, "CURLOPT_HTTPAUTH") || strings.HasPrefix(l, "CURLOPT_USERNAME") || strings.HasPrefix(l, "CURLOPT_PASSWORD") {
			found = append(found, l)
		}
	}
	return found
}

func TestNetrc_beside_the_options_for_credentials(t *testing.T) {
	c := client(t, Netrc(files.netrc))
	of := func(opts ...any) []string { return credentialsIn(records(t, request(t, c, opts...), testURLs[0])) }
	file := []string{"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD " + secretText, "CURLOPT_USERNAME u"}
	assert.Equal(t, file, of())
	assert.Equal(t, file, of(BasicAuth("", "")))
	assert.Equal(t, append([]string{"CURLOPT_HTTPAUTH 2"}, file[1:]...), of(DigestAuth("", "")))
	assert.Equal(t, []string{"CURLOPT_HTTPAUTH 1", "CURLOPT_PASSWORD p", "CURLOPT_USERNAME x"}, of(BasicAuth("x", "p")))
	assert.Equal(t, []string{"CURLOPT_HTTPAUTH 64"}, of(BearerAuth("t")))
	assert.Nil(t, of(AWSSigV4Auth(AWSSigV4{AccessKeyID: "a", SecretAccessKey: "b", Region: "r", Service: "s"})))
	assert.Nil(t, of(NoAuth()))
	assert.True(t, request(t, c, DigestAuth("", "")).AuthArmed())
	assert.Nil(t, credentialsIn(records(t, c.Defaults().WithoutCredentials(), testURLs[0])))
	assert.Nil(t, credentialsIn(records(t, request(t, c, DigestAuth("", "")).WithoutCredentials(), testURLs[0])))
	assert.Contains(t, records(t, c.Defaults(), testURLs[0]), file[1], "the client's is as it was")
}

func TestNetrc_of_the_home_directory_may_be_missing(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	assert.Nil(t, credentialsIn(records(t, client(t, Netrc("")).Defaults(), testURLs[0])))
	require.NoError(t, os.WriteFile(filepath.Join(home, ".netrc"), []byte("default login a password b"), 0o600))
	assert.Contains(t, records(t, client(t, Netrc("")).Defaults(), testURLs[0]), "CURLOPT_USERNAME a")
	require.NoError(t, os.WriteFile(filepath.Join(home, ".netrc"), []byte("nonsense"), 0o600))
	_, err := NewClient(Netrc(""))
	assert.ErrorContains(t, err, `config.Netrc(""): line 1`)
}
