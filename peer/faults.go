package peer

import (
	"errors"
	"fmt"
	"time"

	"github.com/ratmom/ratmom/internal/failure"
)

// faults remembers that a peer could not be connected to.
type faults struct {
	err   error
	until time.Time
}

// note remembers a failure that says something of the peer, for a time that depends on
// its kind.
func (f *faults) note(err error, ttl time.Duration, now time.Time) {
	var e *failure.Error
	if ttl == 0 || !errors.As(err, &e) {
		return
	}
	switch e.Kind {
	case failure.NameResolution, failure.CertificateVerification:
		ttl *= 4 // they hardly change so soon
	case failure.Connect, failure.TLS, failure.Proxy:
	default:
		return
	}
	f.err, f.until = err, now.Add(ttl)
}

func (f *faults) clear() (had bool) {
	had = f.err != nil
	*f = faults{}
	return had
}

// probeTime is how long others wait for what becomes of the request that tries.
const probeTime = 5 * time.Second

// check is why nothing is sent to the peer. When the time is over it lets one request
// through, and the others after it if that one has connected or nothing was heard of it.
func (f *faults) check(now time.Time) error {
	if f.err == nil {
		return nil
	}
	if now.Before(f.until) {
		return fmt.Errorf("%w: %w", ErrUnavailable, f.err)
	}
	f.until = now.Add(probeTime)
	return nil
}
