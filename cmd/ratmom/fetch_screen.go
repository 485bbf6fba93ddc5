package main

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/ratmom/ratmom"
)

// barDelay is how long something takes before it gets a progress bar.
const barDelay = 500 * time.Millisecond

// screen is what the user sees: bodies on standard output, and on standard error
// messages, the conversation, and progress bars.
type screen struct {
	out    io.Writer
	err    io.Writer
	silent bool
	talks  bool // the conversation is shown
	detail bool // sizes of bodies and TLS records, too
	many   int  // URLs, if more than one

	mu    sync.Mutex // orders what is written
	held  []string   // problems that wait for the end of the conversation, which comes late
	bars  bool       // wanted
	begin time.Time
	p     *mpb.Progress // nil until the first bar is due
	total *mpb.Bar
	done  int
}

func newScreen(f *fetchFlags, t terminal, targets []string) *screen {
	s := &screen{out: t.out, err: t.err, silent: f.silent, talks: f.verbose > 0, detail: f.verbose > 1, begin: time.Now()}
	if len(targets) > 1 {
		s.many = len(targets)
	}
	// Bars do not go with anything else on the same terminal, nor with lines of
	// metrics on standard error.
	toOut, lines := slices.Contains(targets, ""), f.writeOut != ""
	mixed := t.outTerminal && (toOut || lines) || toOut && lines
	s.bars = t.bars && !f.silent && f.verbose == 0 && !mixed
	return s
}

// problem prints an error, without what a server could do to a terminal.
func (s *screen) problem(err error) {
	if s.silent {
		return
	}
	text := "ratmom fetch: " + err.Error()
	if errors.Is(err, ratmom.ErrCertificateVerification) && !otherwiseBad(text) {
		text += " (--cacert FILE trusts other authorities)"
	}
	if s.talks {
		s.mu.Lock()
		s.held = append(s.held, text+"\n")
		s.mu.Unlock()
		return
	}
	s.message(text + "\n")
}

// conversed says that the conversation is over.
func (s *screen) conversed() {
	s.mu.Lock()
	held := s.held
	s.talks, s.held = false, nil
	s.mu.Unlock()
	for _, text := range held {
		s.message(text)
	}
}

// otherwiseBad reports whether libcurl says of a certificate what no other authority
// would mend.
func otherwiseBad(text string) bool {
	for _, words := range []string{"subject name", "expired", "not yet valid", "revoked"} {
		if strings.Contains(text, words) {
			return true
		}
	}
	return false
}

func (s *screen) message(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	to := s.err
	if s.p != nil {
		to = s.p // above the bars
	}
	_, _ = io.WriteString(to, printable(text))
}

// direct runs f while nothing else is written.
func (s *screen) direct(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// printable replaces control characters, which could drive the terminal.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return '.'
		}
		return r
	}, text)
}

// watch returns the response's body, with a bar once it takes long.
func (s *screen) watch(j *job, resp *ratmom.Response) io.ReadCloser {
	if !s.bars {
		return resp.Body
	}
	name := fileName(j.url)
	if j.target != "" {
		name = filepath.Base(j.target)
	}
	return &watchedBody{ReadCloser: resp.Body, s: s, name: name, length: resp.ContentLength, begin: time.Now()}
}

// watchedBody moves its bar.
type watchedBody struct {
	io.ReadCloser
	s      *screen
	name   string
	length int64
	begin  time.Time
	n      int64
	bar    *mpb.Bar
}

func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.n += int64(n)
	switch {
	case b.bar != nil:
		b.bar.SetCurrent(b.n)
	case err == nil && time.Since(b.begin) > barDelay:
		b.bar = b.s.newBar(b.name, b.length, b.begin)
		b.bar.SetCurrent(b.n)
	}
	if err == io.EOF && b.bar != nil {
		b.bar.SetTotal(b.n, true)
	}
	return n, err
}

func (b *watchedBody) Close() error {
	if b.bar != nil {
		b.bar.Abort(b.s.many > 0)
	}
	return b.ReadCloser.Close()
}

// nameWidth is how much of a name stands before its bar.
const nameWidth = 24

func (s *screen) newBar(name string, length int64, begin time.Time) *mpb.Bar {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open()
	short := []rune(printable(name))
	if len(short) > nameWidth {
		short = append(short[:nameWidth-1:nameWidth-1], '…')
	}
	opts := []mpb.BarOption{
		mpb.PrependDecorators(
			decor.Name(string(short), decor.WCSyncSpaceR),
			decor.CountersKibiByte("% .1f / % .1f", decor.WCSyncSpace)),
		mpb.AppendDecorators(
			decor.NewAverageSpeed(decor.SizeB1024(0), "% .1f", begin, decor.WCSyncSpace),
			decor.Name(" "),
			decor.NewAverageETA(decor.ET_STYLE_GO, begin, nil)),
	}
	if length <= 0 {
		opts = []mpb.BarOption{
			mpb.PrependDecorators(
				decor.Name(string(short), decor.WCSyncSpaceR),
				decor.CurrentKibiByte("% .1f", decor.WCSyncSpace)),
			mpb.AppendDecorators(decor.NewAverageSpeed(decor.SizeB1024(0), "% .1f", begin, decor.WCSyncSpace)),
		}
	}
	if s.many > 0 {
		opts = append(opts, mpb.BarRemoveOnComplete())
	}
	return s.p.AddBar(max(length, 0), opts...)
}

// open begins to draw.
func (s *screen) open() {
	if s.p != nil {
		return
	}
	s.p = mpb.New(mpb.WithOutput(s.err), mpb.WithAutoRefresh())
	if s.many > 0 {
		s.total = s.p.AddBar(int64(s.many), mpb.BarPriority(1<<30),
			mpb.PrependDecorators(
				decor.Name("URLs", decor.WCSyncSpaceR),
				decor.CountersNoUnit("%d / %d", decor.WCSyncSpace)),
			mpb.AppendDecorators(decor.NewElapsed(decor.ET_STYLE_GO, s.begin)))
		s.total.SetCurrent(int64(s.done))
	}
}

// ended counts a URL.
func (s *screen) ended() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done++
	if s.bars && s.p == nil && s.many > 0 && s.done < s.many && time.Since(s.begin) > barDelay {
		s.open()
	}
	if s.total != nil {
		s.total.SetCurrent(int64(s.done))
	}
}

// close ends the drawing.
func (s *screen) close() {
	s.mu.Lock()
	p := s.p
	s.p = nil
	s.mu.Unlock()
	if p == nil {
		return
	}
	if s.total != nil {
		s.total.Abort(false)
	}
	p.Wait()
}
