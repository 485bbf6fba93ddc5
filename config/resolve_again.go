package config

import (
	"slices"
	"strings"

	"github.com/ratmom/ratmom/cgo"
)

// ResolveAgain looks the hosts up anew for this request, each "host:port" as in
// "example.org:443": the addresses that the client keeps of them are dropped, those of
// [Resolve] for this request. A connection that is there is used all the same.
//
// CURLOPT_RESOLVE, with a minus sign.
func ResolveAgain(hosts ...string) RequestOption {
	return forRequest(resolveAgain{slices.Clone(hosts)})
}

type resolveAgain struct{ hosts []string }

func (s resolveAgain) String() string { return strings.Join(s.hosts, ",") }

func (s resolveAgain) validate() error {
	for _, h := range s.hosts {
		host, port := cutPort(h)
		if host != "*" {
			if err := checkName(host); err != nil {
				return invalid("ResolveAgain", h, "%v", err)
			}
		}
		if err := checkPort(port); err != nil {
			return invalid("ResolveAgain", h, "%v", err)
		}
	}
	return nil
}

func (s resolveAgain) encodeTarget(o *cgo.Options, r *RequestConfig, _ target) {
	if len(s.hosts) == 0 {
		return
	}
	of, _ := lookupClient[resolve](r.client)
	l := o.BeginList(cgo.OptResolve)
	for _, h := range s.hosts {
		l.Add("-", h)
	}
	for _, entry := range of.entries(s.hosts) {
		l.Add(entry)
	}
	l.End()
}
