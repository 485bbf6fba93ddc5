package health

import "time"

// Kind is the kind of an error, as far as it matters for how long it will last.
type Kind uint8

// The kinds.
const (
	KindOther       Kind = iota // is not remembered: only Outliers counts it
	KindNameUnknown             // the name does not exist (NXDOMAIN), or has no address
	KindNameFailed              // the name could not be looked up: SERVFAIL, no answer
	KindRefused                 // nobody listens
	KindUnreachable             // no route to it
	KindTimeout                 // no connection in time
	KindTLS                     // no TLS with it: a certificate, a version
	KindBusy                    // it asked to be left alone: Retry-After with a 429 or 503

	kinds
)

func (k Kind) String() string {
	if k >= kinds {
		return "other"
	}
	return [kinds]string{
		"other", "name unknown", "name not looked up", "refused", "unreachable", "timeout", "TLS", "busy",
	}[k]
}

// TTL is how long errors of a kind are believed: First·Grow^n, up to Max, where n is the
// number of times that it was tried again in vain. First 0 is not at all.
type TTL struct {
	First time.Duration
	Grow  float64 // below 1 is 1
	Max   time.Duration
}

// DefaultTTL is how long errors of a kind are believed where [Errors.TTL] says nothing.
func DefaultTTL(k Kind) TTL {
	switch k {
	case KindNameUnknown:
		return TTL{First: 5 * time.Minute, Grow: 1, Max: time.Hour} // RFC 2308 §5: the zone says how long, hours at most
	case KindNameFailed:
		return TTL{First: 5 * time.Second, Grow: 2, Max: 5 * time.Minute} // RFC 9520: from 1 s to 5 min
	case KindRefused, KindUnreachable:
		return TTL{First: time.Second, Grow: 2, Max: time.Minute} // a restart takes seconds
	case KindTimeout:
		return TTL{First: 5 * time.Second, Grow: 2, Max: 2 * time.Minute} // each try costs its user the whole timeout
	case KindTLS:
		return TTL{First: 10 * time.Minute, Grow: 1, Max: 10 * time.Minute} // until somebody changes something
	case KindBusy:
		return TTL{First: 0, Grow: 1, Max: time.Hour} // as the peer says (RFC 9110 §10.2.3), but not for days
	default:
		return TTL{}
	}
}
