package config

// Metrics collects the times, sizes and speeds of a request for its response to
// give, see ratmom.Metrics. It costs one more call to libcurl for each request
// (CURLINFO_TOTAL_TIME_T and its like).
//
// Default: false.
func Metrics(on bool) Option { return both(metrics(on)) }

// Metrics returns the value of the option of that name.
func (r *RequestConfig) Metrics() bool {
	s, _ := lookup[metrics](r)
	return bool(s)
}

type metrics bool

func (metrics) validate() error { return nil }
