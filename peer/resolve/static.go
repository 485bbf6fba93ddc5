package resolve

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
)

// Static answers every name with these endpoints, forever. It fails for an
// endpoint without an address or a port, with a weight that is negative or no
// number, for one that comes twice, and for none or more than [MaxEndpoints].
func Static(endpoints ...Endpoint) (Resolver, error) {
	if len(endpoints) == 0 {
		return nil, errors.New("static endpoints: there are none")
	}
	if len(endpoints) > MaxEndpoints {
		return nil, fmt.Errorf("static endpoints: %d are more than %d", len(endpoints), MaxEndpoints)
	}
	for _, e := range endpoints {
		if !e.Addr.IsValid() || e.Addr.Port() == 0 {
			return nil, fmt.Errorf("static endpoint %v: no address with a port", e.Addr)
		}
		if !(e.Weight >= 0) || math.IsInf(e.Weight, 0) {
			return nil, fmt.Errorf("static endpoint %v: weight %v", e.Addr, e.Weight)
		}
	}
	answer := newAnswer(slices.Clone(endpoints), Forever)
	if len(answer.Endpoints) != len(endpoints) {
		return nil, errors.New("static endpoints: an address comes twice")
	}
	return Func(func(context.Context, Name) (Answer, error) {
		a := answer
		a.Endpoints = slices.Clone(answer.Endpoints)
		return a, nil
	}), nil
}
