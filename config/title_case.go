package config

// TitleCaseHeaders sends the names of header fields over HTTP/1 in the form
// "Content-Type", whatever the case they are written in, for servers that do not
// know that names have no case. HTTP/2 and later send lower case always.
//
// Default: false, names are sent as they stand in the request's header map; what
// http.Header's methods put there has that form already.
func TitleCaseHeaders(on bool) Option { return both(titleCaseHeaders(on)) }

// TitleCaseHeaders returns the value of the option of that name.
func (r *RequestConfig) TitleCaseHeaders() bool {
	s, _ := lookup[titleCaseHeaders](r)
	return bool(s)
}

type titleCaseHeaders bool

func (titleCaseHeaders) validate() error { return nil }
