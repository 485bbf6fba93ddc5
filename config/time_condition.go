package config

import (
	"net/http"
	"strconv"
	"time"
)

// Condition is how a time decides about a request; see [TimeCondition].
type Condition int

// The conditions.
const (
	// IfModifiedSince wants the resource only if it is newer than the time; the
	// answer is 304 Not Modified if it is not.
	IfModifiedSince Condition = iota + 1
	// IfUnmodifiedSince wants it only if it is not newer; the answer is 412
	// Precondition Failed if it is.
	IfUnmodifiedSince
)

// String is the name of the header field.
func (c Condition) String() string {
	switch c {
	case IfModifiedSince:
		return "If-Modified-Since"
	case IfUnmodifiedSince:
		return "If-Unmodified-Since"
	}
	return "Condition(" + strconv.Itoa(int(c)) + ")"
}

// TimeCondition makes a request depend on the age of the resource. The server decides;
// what it answers is the response. A request that has the field itself keeps that.
//
// Unit: seconds, cut down, as HTTP has them. Default: no condition.
// CURLOPT_TIMECONDITION, CURLOPT_TIMEVALUE_LARGE.
func TimeCondition(c Condition, t time.Time) RequestOption { return forRequest(timeCondition{c, t}) }

// TimeCondition returns the header field that the option of that name asks for; "" for
// none.
func (r *RequestConfig) TimeCondition() (name, value string) {
	s, ok := lookup[timeCondition](r)
	if !ok {
		return "", ""
	}
	return s.is.String(), s.at.UTC().Format(http.TimeFormat)
}

type timeCondition struct {
	is Condition
	at time.Time
}

func (s timeCondition) String() string {
	return s.is.String() + " " + s.at.UTC().Format(http.TimeFormat)
}

func (s timeCondition) validate() error {
	if s.is != IfModifiedSince && s.is != IfUnmodifiedSince {
		return invalid("TimeCondition", s.is, "is none of the conditions")
	}
	if y := s.at.UTC().Year(); s.at.IsZero() || y < 1 || y > 9999 {
		return invalid("TimeCondition", s, "has no date that HTTP can write")
	}
	return nil
}
