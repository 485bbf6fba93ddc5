package config

import "fmt"

// UploadProgress calls f while a request's body is sent: with the bytes that were
// taken from it so far, and its length, -1 if it is not known. What was taken is on
// its way; up to 128 KiB of it may not have left. When the body is sent again, after a
// redirect or in a round of authentication, the count begins at 0 again.
//
// f runs on the goroutine that reads the body, never beside itself for one sending of
// it, and delays the upload as long as it takes. It runs beside the program, up to the
// response that answers the whole body; a server may answer earlier. An empty body is
// not told of.
//
// Default: nil, off. It replaces CURLOPT_XFERINFOFUNCTION.
func UploadProgress(f func(sent, total int64)) Option { return both(uploadProgress{f}) }

// UploadProgress is the function that is told of sent bytes, or nil.
func (r *RequestConfig) UploadProgress() func(sent, total int64) {
	s, _ := lookup[uploadProgress](r)
	return s.f
}

// DownloadProgress calls f while a response's body is read: with the bytes of it that
// were read so far, and its length, -1 if it is not known; both as on the wire, before
// compression is undone. f runs in the caller's Read, on its goroutine, and is called
// for the body of every response that the caller gets.
//
// Default: nil, off. It replaces CURLOPT_XFERINFOFUNCTION.
func DownloadProgress(f func(received, total int64)) Option { return both(downloadProgress{f}) }

// DownloadProgress is the function that is told of received bytes, or nil.
func (r *RequestConfig) DownloadProgress() func(received, total int64) {
	s, _ := lookup[downloadProgress](r)
	return s.f
}

type uploadProgress struct{ f func(sent, total int64) }

func (uploadProgress) validate() error { return nil }

func (s uploadProgress) String() string { return fmt.Sprint(s.f != nil) }

type downloadProgress struct{ f func(received, total int64) }

func (downloadProgress) validate() error { return nil }

func (s downloadProgress) String() string { return fmt.Sprint(s.f != nil) }
