// Command client-curl is the command line curl as a peer of the benchmark: it runs
// curl and reports what the whole process took, its start included.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/ratmom/ratmom/bench/internal/result"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	url := flag.String("url", "", "what to fetch")
	requests := flag.Int64("requests", 1, "how many requests to make")
	inFlight := flag.Int("inflight", 1, "how many requests to run at once; curl's own limit is 300")
	upload := flag.Int64("upload", 0, "send a file of so many bytes")
	ca := flag.String("ca", "", "certificate authority to trust")
	http2 := flag.Bool("http2", false, "HTTP/2 over TLS")
	// It cannot warm up, and the rest means nothing to it.
	flag.Int64("warmup", 0, "ignored")
	flag.String("warm-url", "", "ignored")
	flag.Bool("stream", false, "ignored")
	flag.Bool("cold", false, "ignored: it always is")
	flag.Parse()

	args := []string{"--disable", "--silent", "--show-error", "--fail", "--noproxy", "*", "--output", "/dev/null"}
	if *http2 {
		args = append(args, "--http2")
	} else {
		args = append(args, "--http1.1")
	}
	if *ca != "" {
		args = append(args, "--cacert", *ca)
	}
	bytes := int64(0)
	if *upload > 0 {
		file, err := sparse(*upload)
		if err != nil {
			return err
		}
		defer os.Remove(file)
		args = append(args, "--header", "Expect:", "--upload-file", file)
		bytes = *upload * *requests
	}
	if *requests > 1 {
		*url += "?[1-" + strconv.FormatInt(*requests, 10) + "]"
	}
	if *requests == 1 && *upload == 0 {
		args = append(args, "--write-out", "%{size_download}")
	}
	if *inFlight > 1 {
		args = append(args, "--parallel", "--parallel-max", strconv.Itoa(*inFlight))
	}
	runtime.LockOSThread() // the thread whose end would end curl
	cmd := exec.Command("curl", append(args, *url)...)
	cmd.Stderr = os.Stderr
	var said strings.Builder
	cmd.Stdout = &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	start := time.Now()
	err := cmd.Run()
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	if said.Len() > 0 {
		if bytes, err = strconv.ParseInt(said.String(), 10, 64); err != nil {
			return err
		}
	}
	used := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return json.NewEncoder(os.Stdout).Encode(result.Result{
		Requests: *requests, Bytes: bytes,
		Wall: time.Since(start).Seconds(), User: time.Duration(used.Utime.Nano()).Seconds(), Sys: time.Duration(used.Stime.Nano()).Seconds(),
		PeakRSSKB: used.Maxrss, Version: "curl",
	})
}

// sparse makes a file of zeros that takes no room on the disk, and reads it once:
// to fill the page cache is not curl's work.
func sparse(size int64) (string, error) {
	f, err := os.CreateTemp("", "ratmom-bench-")
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := f.Truncate(size); err != nil {
		return f.Name(), err
	}
	_, err = io.Copy(io.Discard, f)
	return f.Name(), err
}
