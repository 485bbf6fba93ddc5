package peer

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom"
)

// inBubble is a pipeline in a bubble of synctest, and its server, which has taken up what was sent.
type inBubble struct {
	t     *testing.T
	c     *pipe
	there net.Conn
}

func newInBubble(t *testing.T, depth int) *inBubble {
	here, there := net.Pipe()
	c := newPipe(&Peer{s: &scheduler{}}, here, depth, 1<<10)
	c.run()
	go func() {
		in := bufio.NewReader(there)
		for {
			if _, err := http.ReadRequest(in); err != nil {
				return
			}
		}
	}()
	return &inBubble{t, c, there}
}

// close ends it, and waits for its goroutines.
func (b *inBubble) close() {
	b.c.end(ErrPipelineClosed)
	_ = b.there.Close()
	synctest.Wait()
}

// ask sends a request, which is on its way then.
func (b *inBubble) ask() (answer <-chan error, cancel context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	r := &piped{method: http.MethodGet, text: []byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), ctx: ctx, undo: func() {}, done: make(chan answered, 1)}
	c := make(chan error, 1)
	go func() {
		resp, err := b.c.roundTrip(r)
		if resp != nil {
			err = errors.Join(err, resp.Body.Close())
		}
		c <- err
	}()
	synctest.Wait()
	return c, cancel
}

func (b *inBubble) say(text string) {
	b.t.Helper()
	_, err := b.there.Write([]byte(text))
	require.NoError(b.t, err)
	synctest.Wait()
}

const empty = "HTTP/1.1 204 No Content\r\n\r\n"

func TestPipeline_whose_server_does_not_answer_a_cancelled_request_ends_for_those_behind_it(t *testing.T) {
	for name, part := range map[string]string{"nothing of it comes": "", "half a head comes": "HTTP/1.1 200 OK\r\nContent-", "an interim one comes": "HTTP/1.1 103 Early Hints\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newInBubble(t, 2)
				defer b.close()
				first, cancel := b.ask()
				second, undo := b.ask()
				defer undo()
				third, undo := b.ask() // has no place
				defer undo()
				if part != "" {
					b.say(part)
				}
				time.Sleep(time.Hour) // whoever waits has all the time
				cancel()
				require.ErrorIs(t, <-first, ratmom.ErrCanceled)
				began := time.Now()
				for i, c := range []<-chan error{second, third} {
					err := <-c
					var u *UnansweredError
					require.ErrorAs(t, err, &u)
					assert.Equal(t, i == 0, u.Sent)
					require.ErrorIs(t, err, ratmom.ErrConnectionClosed)
				}
				assert.Equal(t, drainTime, time.Since(began))
			})
		})
	}
}

func TestPipeline_answers_of_cancelled_requests_have_one_time_together(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInBubble(t, 10)
		defer b.close()
		var cancels []context.CancelFunc
		for range 6 {
			_, cancel := b.ask()
			cancels = append(cancels, cancel)
		}
		last, undo := b.ask()
		defer undo()
		for _, cancel := range cancels {
			cancel()
		}
		began := time.Now()
		for range 3 {
			time.Sleep(drainTime * 3 / 10)
			b.say(empty)
		}
		var u *UnansweredError
		require.ErrorAs(t, <-last, &u)
		assert.Equal(t, drainTime, time.Since(began))
	})
}

func TestPipeline_goes_on_when_the_answers_of_cancelled_requests_are_soon_there(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInBubble(t, 10)
		defer b.close()
		for round := range 3 {
			t.Log(fmt.Sprint("round ", round))
			first, undo := b.ask()
			defer undo()
			_, cancel := b.ask()
			last, undo := b.ask()
			defer undo()
			cancel()
			time.Sleep(time.Hour) // somebody waits for the first one
			b.say(empty)
			require.NoError(t, <-first)
			time.Sleep(drainTime - 1)
			b.say(empty)
			time.Sleep(time.Hour)
			b.say(empty)
			require.NoError(t, <-last)
		}
		require.NoError(t, b.c.err)
	})
}

func TestPipeline_of_whose_requests_only_cancelled_ones_are_left_ends_soon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newInBubble(t, 10)
		defer b.close()
		first, undo := b.ask()
		defer undo()
		_, cancel := b.ask()
		cancel()
		b.say(empty)
		require.NoError(t, <-first)
		late, undo := b.ask() // has come too late to know
		defer undo()
		var u *UnansweredError
		require.ErrorAs(t, <-late, &u)
	})
}
