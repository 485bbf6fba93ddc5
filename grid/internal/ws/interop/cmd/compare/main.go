// Command compare measures implementations of WebSocket beside each other: messages of one way per
// second, and the processor's time that both ends take for one, in rounds that take turns, so that they
// share what else the machine does. What counts are the ratios.
package main

import (
	"flag"
	"fmt"
	"net"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/ratmom/ratmom/grid/internal/ws/interop"
)

// shape is a message as the grid sends it: frames, each with a head of its own.
type shape struct {
	name           string
	frames, length int
}

var shapes = []shape{
	{"1 x 512 B", 1, 512},
	{"16 x 512 B", 16, 512},
	{"128 x 512 B", 128, 512},
	{"64 KiB", 1, 64 << 10},
	{"1 MiB", 16, 64 << 10},
}

const frameHead = 12

func (s shape) parts() net.Buffers {
	if s.length < 16<<10 {
		// Small frames are gathered in one buffer.
		return net.Buffers{make([]byte, s.frames*(frameHead+s.length))}
	}
	var p net.Buffers
	for range s.frames {
		p = append(p, make([]byte, frameHead), make([]byte, s.length))
	}
	return p
}

func main() {
	only := flag.String("only", "", "the name of a message: no others")
	rounds := flag.Int("rounds", 7, "rounds of each measurement; the median counts")
	each := flag.Duration("time", 300*time.Millisecond, "how long a round is")
	flag.Parse()
	if err := run(*only, *rounds, *each); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(only string, rounds int, each time.Duration) error {
	libraries := append(interop.Libraries(), interop.ZeroMask())
	fmt.Printf("| message | way | library | messages/s | MB/s | ours is faster by | CPU per message | ours takes less by |\n|---|---|---|---|---|---|---|---|\n")
	for _, s := range shapes {
		if only != "" && s.name != only {
			continue
		}
		for _, up := range []bool{true, false} {
			rates, costs := make([][]float64, len(libraries)), make([][]float64, len(libraries))
			for range rounds {
				for i, l := range libraries {
					rate, cost, err := measure(l, s, up, each)
					if err != nil {
						return fmt.Errorf("%s: %w", l.Name, err)
					}
					rates[i], costs[i] = append(rates[i], rate), append(costs[i], cost)
				}
			}
			report(s, up, libraries, rates, costs)
		}
	}
	return nil
}

func report(s shape, up bool, libraries []interop.Library, rates, costs [][]float64) {
	way := "to the client"
	if up {
		way = "to the server"
	}
	rate, cost := median(rates[0]), median(costs[0])
	for i, l := range libraries {
		if !up && i == len(libraries)-1 {
			continue // a server has no mask
		}
		r, c := median(rates[i]), median(costs[i])
		size := float64(s.frames * (frameHead + s.length))
		fmt.Printf("| %s | %s | %s | %.0f | %.0f | %.2f x | %.1f us | %.2f x |\n",
			s.name, way, l.Name, r, r*size/1e6, rate/r, c, c/cost)
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

// measure is how many messages a second one end takes that the other sends without waiting, and how
// many microseconds of the processor each takes.
func measure(l interop.Library, s shape, up bool, each time.Duration) (rate, cost float64, err error) {
	p, err := interop.Connect(l, l)
	if err != nil {
		return 0, 0, err
	}
	defer p.Close()
	from, to := p.Server, p.Client
	if up {
		from, to = to, from
	}
	into := make([]byte, 2<<20)
	parts := s.parts()
	start, used, n := time.Now(), processor(), 0
	end := start.Add(each)
	sent := make(chan error, 1)
	go func() {
		for time.Now().Before(end) {
			if err := from.Send(parts); err != nil {
				sent <- err
				return
			}
		}
		sent <- from.Send(net.Buffers{{0}}) // the last one
	}()
	for {
		k, err := to.Receive(into)
		if err != nil {
			return 0, 0, err
		}
		if k == 1 {
			break
		}
		n++
	}
	took, used := time.Since(start), processor()-used
	return float64(n) / took.Seconds(), float64(used.Microseconds()) / float64(n), <-sent
}

// processor is how much of the processor's time this process has taken.
func processor() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
