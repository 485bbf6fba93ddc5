package main

import (
	"math"
	"runtime"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// A virtual core is often one of two threads of a real one: whatever runs on the
// other, maybe in another machine, makes ours slower by up to two times, and CPU
// time does not show it. So the core's speed is tried before and after each run.

// fastest is the shortest time that the trial has taken so far.
var fastest = time.Duration(math.MaxInt64)

// slowness is by how much the core is slower now than at its best: 0.1 is ten
// percent.
func slowness(core string) float64 {
	took := trial(core)
	fastest = min(fastest, took)
	return float64(took)/float64(fastest) - 1
}

// trial measures the CPU time of a fixed piece of work on the given core.
func trial(core string) time.Duration {
	took := make(chan time.Duration)
	go func() {
		runtime.LockOSThread() // never unlocked: the pinned thread ends with us
		if n, err := strconv.Atoi(core); err == nil && n >= 0 && n < 1024 {
			var set [16]uint64
			set[n/64] = 1 << (n % 64)
			// An error leaves us on another core, which is as fast.
			_, _, _ = syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set), uintptr(unsafe.Pointer(&set)))
		}
		a := threadTime()
		spin()
		took <- threadTime() - a
	}()
	return <-took
}

// spin takes some 6 ms: a chain of multiplications, which no cache helps.
func spin() {
	x := uint32(1)
	for range 10_000_000 {
		x = x*3 + 1
	}
	runtime.KeepAlive(x) // or the compiler would see that nobody looks
}

// threadTime is exact, which getrusage is only to a tick.
func threadTime() time.Duration {
	const clock = 3 // CLOCK_THREAD_CPUTIME_ID
	var t syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, clock, uintptr(unsafe.Pointer(&t)), 0); errno != 0 {
		panic(errno) // it has no way to fail with these arguments
	}
	return time.Duration(t.Nano())
}
