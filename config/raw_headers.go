package config

// RawHeaders sends the header as the program wrote it and nothing else: names in the
// case of the request's map, whatever it is ("user-agent" is the User-Agent then), and
// no User-Agent, Accept, Accept-Encoding or default header that the map does not have.
// What the message needs is still made: Host, the length or coding of its body, and
// what options ask for, such as credentials. HTTP/2 and later send lower case always.
// [HeaderOrder] adds the order.
//
// Default: false. CURLOPT_HTTPHEADER.
func RawHeaders(on bool) Option { return both(rawHeaders(on)) }

// RawHeaders returns the value of the option of that name.
func (r *RequestConfig) RawHeaders() bool {
	s, _ := lookup[rawHeaders](r)
	return bool(s)
}

type rawHeaders bool

func (rawHeaders) validate() error { return nil }
