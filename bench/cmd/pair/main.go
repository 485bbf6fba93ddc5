// Command pair measures what carries calls and streams between two servers: both of them are in this
// process, with the loopback between them. Each way to do it is a peer of the benchmark.
package main

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"time"

	"github.com/ratmom/ratmom/bench/internal/result"
	"github.com/ratmom/ratmom/bench/internal/serve"
	"github.com/ratmom/ratmom/bench/internal/trust"
)

// options say what is done, and how the two ends are set up.
type options struct {
	carrier  string
	callers  int
	size     int // bytes of a message
	messages int // of a stream
	lasts    time.Duration
	settle   time.Duration // before the connection is cut
	flags    serve.Flags
	ca       string
	profile  string

	server, client *tls.Config // nil: no TLS
}

var carriers = map[string]func(options) (carrier, error){
	"grid": openGrid, "inline": openGrid, "typed": openGrid,
	"grpc": openGRPC, "protobuf": openGRPC,
	"tcp": openTCP,
}

var works = map[string]func(options, carrier, *result.Result) error{
	"echo": echo, "streams": streams, "flood": flood, "beside": beside, "open": openStreams, "reconnect": reconnect,
}

func main() {
	var (
		o    options
		work string
	)
	flag.StringVar(&o.carrier, "carrier", "grid", "grid, inline, typed, grpc, protobuf or tcp")
	flag.StringVar(&work, "work", "echo", "echo, streams, flood, beside, idle, open or reconnect")
	flag.IntVar(&o.callers, "callers", 1, "how many call at a time, or how much is open or idle")
	flag.IntVar(&o.size, "size", 512, "bytes of a message")
	flag.IntVar(&o.messages, "messages", 10, "messages of a stream")
	flag.DurationVar(&o.lasts, "lasts", time.Second, "how long the measured part takes; a third more to warm up")
	flag.DurationVar(&o.settle, "settle", 0, "how long the connection is there before it is cut")
	flag.StringVar(&o.ca, "ca", "", "certificate authority to trust: use TLS")
	flag.StringVar(&o.profile, "cpuprofile", "", "write a CPU profile of the measured part")
	o.flags.Register()
	flag.Parse()
	if err := run(o, work); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(o options, work string) (err error) {
	if o.client, err = trust.Config(o.ca); err != nil {
		return err
	}
	o.server = o.flags.Certificate()
	res := result.Result{Version: o.carrier}
	if work == "idle" {
		err = idle(o, &res)
	} else {
		err = measure(o, work, &res)
	}
	if err != nil {
		return err
	}
	if res.PeakRSSKB, err = result.PeakRSSKB(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(res)
}

func measure(o options, work string, res *result.Result) error {
	begin, does := carriers[o.carrier], works[work]
	if begin == nil || does == nil || o.callers < 1 {
		return errors.New("unknown carrier or work, or nobody calls")
	}
	c, err := begin(o)
	if err != nil {
		return err
	}
	defer c.close()
	return does(o, c, res)
}

// profiled runs the measured part.
func (o options) profiled(f func() error) error {
	if o.profile == "" {
		return f()
	}
	file, err := os.Create(o.profile)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := pprof.StartCPUProfile(file); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}
