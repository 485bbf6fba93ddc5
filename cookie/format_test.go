package cookie

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func forms() map[string]Format { return map[string]Format{"Netscape": Netscape, "JSON": JSON} }

// assertSurvives saves the jar, loads it into another, and compares.
func assertSurvives(t *testing.T, j *Jar, f Format) {
	t.Helper()
	var b strings.Builder
	require.NoError(t, j.Write(&b, f))
	again := new(Jar)
	require.NoError(t, again.Read(strings.NewReader(b.String()), f), b.String())
	want, got := j.All(), again.All()
	require.Len(t, got, len(want), b.String())
	for i := range want {
		w, g := want[i], got[i]
		if f == Netscape {
			if !w.Expires.IsZero() {
				assert.WithinDuration(t, w.Expires, g.Expires, time.Second)
			}
			w.Expires, w.Created, w.Used, w.SameSite = g.Expires, g.Created, g.Used, g.SameSite
		}
		if !strings.Contains(g.Path, "%") {
			assert.Equal(t, w.Path, g.Path)
		}
		w.Path = g.Path
		for _, x := range []struct{ a, b *time.Time }{{&w.Expires, &g.Expires}, {&w.Created, &g.Created}, {&w.Used, &g.Used}} {
			assert.True(t, x.a.Equal(*x.b), b.String())
			*x.b = *x.a
		}
		assert.Equal(t, w, g, b.String())
	}
}

func variety(t *testing.T) *Jar {
	j := new(Jar)
	for _, set := range []string{
		"plain=1", "domain=1; Domain=site.example", "http=1; HttpOnly; Path=/b", "secure=1; Secure; SameSite=None", "strict=1; SameSite=Strict",
		"__Host-a=1; Secure; Path=/", "later=1; Max-Age=3600", "bare", "empty=", `quoted="a b"`, "tab=a\tb", "é=ü", "bytes=\xff<&>", "\xfe=1", "#x=1", "equal=a=b==",
	} {
		require.NoError(t, j.Set(at(t, "https://www.site.example/b/c"), set))
	}
	require.NoError(t, j.Set(at(t, "http://[::1]/"), "six=1"))
	require.NoError(t, j.Set(at(t, "http://127.0.0.1/"), "four=1; Domain=127.0.0.1; HttpOnly"))
	require.NoError(t, j.Set(at(t, "http://bücher.example/"), "idn=1"))
	return j
}

func TestJar_is_the_same_after_it_was_saved_and_loaded(t *testing.T) {
	for name, f := range forms() {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j := variety(t)
				time.Sleep(time.Minute)
				j.CookieHeader(at(t, "https://www.site.example/b/c"))
				assertSurvives(t, j, f)
				assertSurvives(t, new(Jar), f)
			})
			// And the same as a file, with what is sent.
			j := variety(t)
			file := filepath.Join(t.TempDir(), "cookies")
			require.NoError(t, j.SaveFile(file, f))
			again := new(Jar)
			require.NoError(t, again.LoadFile(file, f))
			for _, u := range []string{"https://www.site.example/b/c", "http://www.site.example/b", "http://x.site.example/b/", "http://[::1]/", "http://127.0.0.1/"} {
				require.NotEmpty(t, j.CookieHeader(at(t, u)))
				assert.Equal(t, j.CookieHeader(at(t, u)), again.CookieHeader(at(t, u)))
			}
		})
	}
}

func TestNetscape_is_what_curl_writes_and_reads(t *testing.T) {
	const text = "# Netscape HTTP Cookie File\n\n" +
		"site.example\tFALSE\t/\tFALSE\t0\tplain\t1\n" +
		".site.example\tTRUE\t/b\tTRUE\t4102444800\tall\tv w\n" +
		"#HttpOnly_site.example\tFALSE\t/\tFALSE\t0\tscript\t\n"
	synctest.Test(t, func(t *testing.T) {
		j := new(Jar)
		// A comment, a blank line, the ends of lines of another system, a tab that an editor took.
		require.NoError(t, j.Read(strings.NewReader("\ufeff"+strings.ReplaceAll(text, "\n", "\r\n")+"# end\n\n\t\n"), Netscape))
		all := j.All()
		require.Len(t, all, 3)
		assert.Equal(t, time.Now().Add(MaxAge).UTC(), all[1].Expires.UTC(), "no cookie lives longer, from a file neither")
		assert.True(t, all[2].HTTPOnly)
		for i := range all {
			all[i].Created, all[i].Used, all[i].Expires = time.Time{}, time.Time{}, time.Time{}
		}
		assert.Equal(t, []Cookie{
			{Name: "plain", Value: "1", Domain: "site.example", HostOnly: true, Path: "/"},
			{Name: "all", Value: "v w", Domain: "site.example", Path: "/b", Secure: true},
			{Name: "script", Domain: "site.example", HostOnly: true, Path: "/", HTTPOnly: true},
		}, all)
		var b strings.Builder
		require.NoError(t, j.Write(&b, Netscape))
		assert.Equal(t, strings.Replace(text, "4102444800", "981244800", 1), b.String())
		require.NoError(t, j.Read(strings.NewReader("a.example\tFALSE\t/\tFALSE\t0\tstripped"), Netscape))
		assert.Equal(t, "stripped=", j.CookieHeader(at(t, "http://a.example/")))
	})
}

func TestJSON_is_a_line_for_each_cookie(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(Jar)
		j.SetCookieHeaders(at(t, "https://a.example/"), []string{"a=<1>", "b=2; Max-Age=60; Secure; HttpOnly; SameSite=Lax; Domain=a.example"})
		var b strings.Builder
		require.NoError(t, j.Write(&b, JSON))
		assert.Equal(t, `[
{"name":"a","value":"<1>","domain":"a.example","hostOnly":true,"path":"/","created":"2000-01-01T00:00:00Z","used":"2000-01-01T00:00:00Z"},
{"name":"b","value":"2","domain":"a.example","path":"/","secure":true,"httpOnly":true,"sameSite":"lax","expires":"2000-01-01T00:01:00Z","created":"2000-01-01T00:00:00Z","used":"2000-01-01T00:00:00Z"}
]
`, b.String())
	})
}

func TestJar_Read_names_the_line_and_changes_nothing_after_an_error(t *testing.T) {
	const good = "a.example\tFALSE\t/\tFALSE\t0\tn\tv\n"
	object := func(s string) string {
		return "[\n{\"name\":\"n\",\"domain\":\"a.example\",\"path\":\"/\"},\n" + s + "\n]"
	}
	for _, c := range []struct {
		form Format
		text string
		line int
		why  string
	}{
		{Netscape, good + "\nx y z\n", 3, "1 fields, not 7"},
		{Netscape, good + "a.example\tMAYBE\t/\tFALSE\t0\tn\tv", 2, `subdomains "MAYBE"`},
		{Netscape, "a.example\tTRUE\t/\t1\t0\tn\tv", 1, `secure "1"`},
		{Netscape, "a.example\tTRUE\t/\tTRUE\tsoon\tn\tv", 1, `expiry "soon"`},
		{Netscape, "a.example\tTRUE\tx\tTRUE\t0\tn\tv", 1, `the path "x"`},
		{Netscape, "\tTRUE\t/\tTRUE\t0\tn\tv", 1, `"" is not a domain`},
		{Netscape, "a b\tTRUE\t/\tTRUE\t0\tn\tv", 1, `"a b" is not a domain`},
		{Netscape, "a.example\tTRUE\t/\tTRUE\t0\t__Host-n\tv", 1, "__Host- needs"},
		{Netscape, good + "a.example\tTRUE\t/\tTRUE\t0\tn\t\x01", 2, "control character"},
		{Netscape, good + "a.example\tTRUE\t/\tTRUE\t0\tn\t" + strings.Repeat("x", MaxSize), 2, "more than 4096"},
		{Netscape, good + strings.Repeat("x", maxLine+1), 2, "longer than"},
		{JSON, "", 1, "unexpected EOF"},
		{JSON, "{}", 1, "a list must begin"},
		{JSON, "\n\n[}", 3, "invalid character"},
		{JSON, object(`{"name":1}`), 3, "cannot unmarshal"},
		{JSON, object(`{"nome":"x"}`), 3, "unknown field"},
		{JSON, object(`{"name":"n","domain":"a.example","path":"x"}`), 3, `the path "x"`},
		{JSON, object(`{"name":"n","domain":"a.example","path":"/","sameSite":"x"}`), 3, `sameSite "x"`},
		{JSON, object(`{"name":"n","nameBase64":"eA==","domain":"a.example","path":"/"}`), 3, "both"},
		{JSON, object(`{"name":"n","domain":"a.example","path":"/","expires":"soon"}`), 3, "soon"},
		{JSON, object(`{"domain":"a.example","path":"/"}`), 3, "neither name nor value"},
		{JSON, "[\n]\nmore", 3, "invalid character"},
		{JSON, "[\n]\n[]", 3, "more behind the list"},
		{JSON, "[\n", 2, "unexpected EOF"},
	} {
		j := new(Jar)
		require.NoError(t, j.Set(at(t, "http://a.example/"), "was=here"))
		err := j.Read(strings.NewReader(c.text), c.form)
		var wrong *FormatError
		require.ErrorAs(t, err, &wrong, c.text)
		assert.Equal(t, c.line, wrong.Line, "%s: %v", c.text, err)
		assert.ErrorContains(t, err, c.why)
		require.Len(t, j.All(), 1, c.text)
		assert.Equal(t, "was", j.All()[0].Name)
		// A reader's own error is not one of the form.
		broken := errors.New("broken")
		err = j.Read(iotest.ErrReader(broken), c.form)
		require.ErrorIs(t, err, broken)
		assert.NotErrorAs(t, err, &wrong)
	}
}

func TestJar_Read_adds_and_leaves_out_what_is_past(t *testing.T) {
	j := new(Jar)
	u := at(t, "http://a.co.uk/")
	j.SetCookieHeaders(u, []string{"kept=1", "n=old"})
	require.NoError(t, j.Read(strings.NewReader(
		"a.co.uk\tFALSE\t/\tFALSE\t0\tn\tnew\n"+
			"a.co.uk\tFALSE\t/\tFALSE\t1\tgone\tv\n"+
			"a.co.uk\tFALSE\t/\tFALSE\t-1\tgone\tv\n"+
			"co.uk\tTRUE\t/\tFALSE\t0\teverywhere\tv\n"), Netscape))
	assert.Equal(t, "kept=1; n=new", j.CookieHeader(u))
	assert.Len(t, j.All(), 2)
}

func TestJar_Read_keeps_the_limits(t *testing.T) {
	var b strings.Builder
	for i := range 2 * MaxPerDomain {
		b.WriteString("a.example\tFALSE\t/\tFALSE\t0\tn" + strings.Repeat("x", i) + "\tv\n")
	}
	j := new(Jar)
	require.NoError(t, j.Read(strings.NewReader(b.String()), Netscape))
	assert.Len(t, j.All(), MaxPerDomain)
}

func TestJar_SaveFile_replaces_the_file_whole_or_not_at_all(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cookies")
	link := filepath.Join(dir, "link")
	require.NoError(t, os.WriteFile(file, []byte("before"), 0o644))
	require.NoError(t, os.Symlink(file, link))
	j := variety(t)
	require.NoError(t, j.SaveFile(link, Netscape))
	info, err := os.Lstat(file)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o644), info.Mode(), "as it was")
	other := filepath.Join(dir, "new")
	require.NoError(t, j.SaveFile(other, Netscape))
	info, err = os.Lstat(other)
	require.NoError(t, err)
	assert.Equal(t, fs.FileMode(0o600), info.Mode(), "for its owner")
	require.NoError(t, os.Remove(other))
	info, err = os.Lstat(link)
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&fs.ModeSymlink, "a link stays one")
	// One that cannot be written leaves what was there, and nothing beside it.
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Error(t, j.SaveFile(file, broken{}))
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2)
	// The errors of files are as usual.
	require.ErrorIs(t, j.SaveFile(filepath.Join(dir, "none", "x"), JSON), fs.ErrNotExist)
	require.ErrorIs(t, j.LoadFile(filepath.Join(dir, "none"), JSON), fs.ErrNotExist)
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	err = j.LoadFile(file, Netscape)
	assert.ErrorContains(t, err, file)
	assert.ErrorContains(t, err, "line 1")
	var wrong *FormatError
	assert.ErrorAs(t, err, &wrong)
}

type broken struct{ netscape }

func (broken) write(w io.Writer, _ []Cookie) error {
	_, _ = w.Write([]byte("half"))
	return errors.New("the disk is full")
}

func fuzzRead(f *testing.F, form Format) {
	f.Fuzz(func(t *testing.T, text string) {
		j := new(Jar)
		if err := j.Read(strings.NewReader(text), form); err != nil {
			var wrong *FormatError
			require.ErrorAs(t, err, &wrong)
			assert.Positive(t, wrong.Line)
			assert.LessOrEqual(t, wrong.Line, strings.Count(text, "\n")+1)
			assert.Empty(t, j.All())
			return
		}
		assert.LessOrEqual(t, len(j.All()), MaxCookies)
		for i, c := range j.All() {
			require.NoError(t, c.loaded())
			assert.False(t, !c.HostOnly && publicSuffix(c.Domain))
			if i > 20 {
				break
			}
		}
		if len(j.All()) < 50 && !slices.ContainsFunc(j.All(), func(c Cookie) bool { return time.Until(c.Expires) < time.Minute }) {
			assertSurvives(t, j, form)
		}
	})
}

func FuzzNetscape(f *testing.F) {
	f.Add("# Netscape HTTP Cookie File\n\n.a.example\tTRUE\t/\tTRUE\t4102444800\tn\tv\n#HttpOnly_b.example\tFALSE\t/x\tFALSE\t0\tm\t\r\n")
	f.Add("::1\tFALSE\t/\tFALSE\t0\t\tv\n#\n\n")
	fuzzRead(f, Netscape)
}

func FuzzJSON(f *testing.F) {
	f.Add("[\n{\"name\":\"a\",\"value\":\"b\",\"domain\":\"a.example\",\"path\":\"/\",\"expires\":\"2099-01-01T00:00:00Z\"},\n{\"valueBase64\":\"/w==\",\"domain\":\"::1\",\"hostOnly\":true,\"path\":\"/\",\"sameSite\":\"lax\"}]")
	f.Add("[]")
	fuzzRead(f, JSON)
}
