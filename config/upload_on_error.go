package config

import "github.com/ratmom/ratmom/cgo"

// StopUploadOnError gives up the upload of a request's body when a response with a
// status of 300 or above comes before its end. On HTTP/1 that costs the connection.
//
// Default: false, the body is sent to its end, since some servers answer only then and
// others take the break for an error. CURLOPT_KEEP_SENDING_ON_ERROR.
func StopUploadOnError(on bool) Option { return both(stopUploadOnError(on)) }

// StopUploadOnError returns the value of the option of that name.
func (r *RequestConfig) StopUploadOnError() bool {
	s, _ := lookup[stopUploadOnError](r)
	return bool(s)
}

type stopUploadOnError bool

func (stopUploadOnError) validate() error { return nil }

func (s stopUploadOnError) encode(o *cgo.Options) {
	if s {
		o.Long(cgo.OptKeepSendingOnError, 0)
	}
}
