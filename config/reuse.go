package config

import (
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/retry"
)

// ConnectionReuse says which requests may ride a connection that has served others:
// all ([retry.ReuseAlways]), those that could be repeated if it dies under them
// ([retry.ReuseSafe]), or none ([retry.ReuseNever]), whose connections are closed
// behind them. As it is libcurl that chooses among connections, and does not tell what
// they have served before, [retry.ReuseAggressive] is the same as safe. The rest have new
// connections, also on HTTP/2.
//
// Default: retry.ReuseAlways. CURLOPT_FRESH_CONNECT, CURLOPT_FORBID_REUSE.
func ConnectionReuse(mode retry.Reuse) Option { return both(connectionReuse(mode)) }

// ConnectionReuse returns the value of the option of that name.
func (r *RequestConfig) ConnectionReuse() retry.Reuse {
	s, _ := lookup[connectionReuse](r)
	return retry.Reuse(s)
}

type connectionReuse retry.Reuse

func (s connectionReuse) String() string { return retry.Reuse(s).String() }

func (s connectionReuse) validate() error {
	if retry.Reuse(s) > retry.ReuseNever {
		return invalid("ConnectionReuse", int(s), "is not one of the modes")
	}
	return nil
}

func (s connectionReuse) encode(o *cgo.Options) {
	if retry.Reuse(s) == retry.ReuseNever {
		o.Long(cgo.OptFreshConnect, 1)
		o.Long(cgo.OptForbidReuse, 1)
	}
}
