package ratmom

import "time"

// Metrics are the figures of one transfer: the last one, after redirects and
// retries. Times are counted from its start. What this libcurl does not have is -1.
//
// The names in brackets are libcurl's, of CURLINFO_.
type Metrics struct {
	// Queue is until it left the queue in which it waits for a connection because of a
	// limit on these, or for one that is about to speak HTTP/2 (QUEUE_TIME_T, libcurl
	// 8.6). The other times have that of [config.PipeWait] in them, on every libcurl.
	Queue        time.Duration
	NameLookup   time.Duration // until the name was resolved (NAMELOOKUP_TIME_T)
	Connect      time.Duration // until the TCP connection stood (CONNECT_TIME_T)
	TLSHandshake time.Duration // until TLS was up; 0 without (APPCONNECT_TIME_T)
	PreTransfer  time.Duration // until the request was about to be sent (PRETRANSFER_TIME_T)
	// RequestSent is until libcurl knew that the last byte of the request had been sent, which
	// can be after the first of the response (POSTTRANSFER_TIME_T, libcurl 8.10).
	RequestSent time.Duration
	FirstByte   time.Duration // until the first byte of the response (STARTTRANSFER_TIME_T)
	Total       time.Duration // until the last byte (TOTAL_TIME_T)

	Sent, Received            int64 // bytes of the bodies, as on the wire (SIZE_UPLOAD_T, SIZE_DOWNLOAD_T)
	RequestHead, ResponseHead int64 // bytes of the heads (REQUEST_SIZE, HEADER_SIZE)
	// Bytes of body per second of Total, as SPEED_UPLOAD_T and SPEED_DOWNLOAD_T.
	UploadSpeed, DownloadSpeed int64

	ConnectionReused bool // the connection was there before
	// Connections is how many the transfer had to make; 0 if one was there
	// (NUM_CONNECTS).
	Connections int
	// ConnectionID tells the connections of an agent apart (CONN_ID, libcurl 8.2).
	ConnectionID int64
	HTTPVersion  string // "1.0", "1.1", "2", "3" (HTTP_VERSION)
	// Proxy is the URL of the proxy that the transfer went through, without user
	// name and password; "" without one. Of the configuration: libcurl's USED_PROXY
	// says no more.
	Proxy string

	// What came before this transfer. Redirects and retries are made in Go, so that
	// libcurl's REDIRECT_COUNT and REDIRECT_TIME_T know nothing of them.
	Redirects    int           // that were followed, and requests that interceptors sent again
	Retries      int           // transfers that were repeated, see Response.Attempts
	Hedges       int           // second tries beside slow ones
	RedirectTime time.Duration // from the call of Send to the start of this transfer
}

// steps counts the transfers of an exchange.
type steps struct {
	began, last time.Time
	starts      int
	retries     int
	hedges      int
}

func (s *steps) start(again bool) {
	s.starts++
	if again {
		s.retries++
	}
	s.last = time.Now()
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
	us := func(n int64) time.Duration {
		if n < 0 {
			return -1
		}
		return time.Duration(n) * time.Microsecond
	}
	m := Metrics{
		Queue: us(i.Queue), NameLookup: us(i.NameLookup), Connect: us(i.Connect), TLSHandshake: us(i.AppConnect),
		PreTransfer: us(i.PreTransfer), RequestSent: us(i.PostTransfer), FirstByte: us(i.StartTransfer), Total: us(i.Total),
		Sent: i.Sent, Received: i.Received, RequestHead: i.RequestSize, ResponseHead: i.HeaderSize,
		ConnectionReused: r.h.Reused(), Connections: int(i.NumConnects), ConnectionID: i.ConnID,
		HTTPVersion: httpVersion(i.HTTPVersion), Proxy: r.h.Proxy(),
	}
	if i.Total > 0 {
		m.UploadSpeed = i.Sent * 1e6 / i.Total
		m.DownloadSpeed = i.Received * 1e6 / i.Total
	}
	if s := r.steps; s != nil {
		m.Retries, m.Hedges = s.retries, s.hedges
		m.Redirects = s.starts - 1 - s.retries
		m.RedirectTime = s.last.Sub(s.began)
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
