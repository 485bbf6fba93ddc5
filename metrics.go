package ratmom

import "time"

// Metrics are the figures of one transfer, counted from its start.
type Metrics struct {
	NameLookup   time.Duration // until the name was resolved (CURLINFO_NAMELOOKUP_TIME_T)
	Connect      time.Duration // until the TCP connection stood (CURLINFO_CONNECT_TIME_T)
	TLSHandshake time.Duration // until TLS was up; 0 without (CURLINFO_APPCONNECT_TIME_T)
	PreTransfer  time.Duration // until the request was about to be sent (CURLINFO_PRETRANSFER_TIME_T)
	FirstByte    time.Duration // until the first byte of the response (CURLINFO_STARTTRANSFER_TIME_T)
	Total        time.Duration // until the last byte (CURLINFO_TOTAL_TIME_T)

	Sent, Received             int64 // bytes of the bodies, as on the wire
	RequestHead, ResponseHead  int64 // bytes of the heads
	UploadSpeed, DownloadSpeed int64 // bytes of body per second
	ConnectionReused           bool
	HTTPVersion                string // "1.0", "1.1", "2", "3"
}

// Metrics returns the figures of the transfer that made this response, once its
// body has been read to its end; false before that, or if config.Metrics(true) was
// not given.
func (r *Response) Metrics() (Metrics, bool) {
	if r.h == nil {
		return Metrics{}, false
	}
	i, ok := r.h.Infos()
	if !ok {
		return Metrics{}, false
	}
	us := func(n int64) time.Duration { return time.Duration(n) * time.Microsecond }
	m := Metrics{
		NameLookup: us(i.NameLookup), Connect: us(i.Connect), TLSHandshake: us(i.AppConnect),
		PreTransfer: us(i.PreTransfer), FirstByte: us(i.StartTransfer), Total: us(i.Total),
		Sent: i.Sent, Received: i.Received, RequestHead: i.RequestSize, ResponseHead: i.HeaderSize,
		ConnectionReused: r.h.Reused(), HTTPVersion: httpVersion(i.HTTPVersion),
	}
	if i.Total > 0 {
		m.UploadSpeed = i.Sent * 1e6 / i.Total
		m.DownloadSpeed = i.Received * 1e6 / i.Total
	}
	return m, true
}

// httpVersion names libcurl's CURL_HTTP_VERSION_ number.
func httpVersion(n int64) string {
	switch n {
	case 1:
		return "1.0"
	case 2:
		return "1.1"
	case 3, 4, 5:
		return "2"
	case 30, 31:
		return "3"
	}
	return ""
}
