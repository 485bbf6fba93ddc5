package main

import (
	"encoding/json"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/internal/failure"
)

// report writes one line of JSON for each URL.
type report struct{ to io.Writer }

// newReport returns nil if none is wanted. It goes to standard output unless
// bodies go there.
func newReport(f *fetchFlags, t terminal, targets []string) *report {
	switch {
	case f.writeOut == "":
		return nil
	case slices.Contains(targets, ""):
		return &report{t.err}
	}
	return &report{t.out}
}

type reportLine struct {
	URL          string        `json:"url"`
	EffectiveURL string        `json:"effective_url,omitempty"`
	Method       string        `json:"method,omitempty"`
	Status       int           `json:"status,omitempty"`
	HTTPVersion  string        `json:"http_version,omitempty"`
	LocalAddr    string        `json:"local_addr,omitempty"`
	RemoteAddr   string        `json:"remote_addr,omitempty"`
	Reused       bool          `json:"connection_reused"`
	File         string        `json:"file,omitempty"`
	Bytes        int64         `json:"bytes"`    // of the body, decoded
	Received     int64         `json:"received"` // of the body, as on the wire
	Sent         int64         `json:"sent"`
	ResponseHead int64         `json:"response_head"`
	RequestHead  int64         `json:"request_head"`
	Speed        int64         `json:"download_speed"` // bytes per second
	Seconds      reportSeconds `json:"seconds"`
	Error        string        `json:"error,omitempty"`
	Kind         string        `json:"error_kind,omitempty"`
}

type reportSeconds struct {
	NameLookup   float64 `json:"name_lookup"`
	Connect      float64 `json:"connect"`
	TLSHandshake float64 `json:"tls_handshake"`
	PreTransfer  float64 `json:"pre_transfer"`
	FirstByte    float64 `json:"first_byte"`
	Total        float64 `json:"total"`
	Elapsed      float64 `json:"elapsed"`
}

func (r *report) write(j *job, o outcome) {
	l := reportLine{URL: j.url, File: j.target, Bytes: o.bytes}
	l.Seconds.Elapsed = time.Since(j.begin).Round(time.Microsecond).Seconds()
	if o.resp != nil {
		l.fill(o.resp)
	} else if j.req != nil {
		l.Method = j.req.Method
	}
	if o.err != nil {
		l.Error = o.err.Error()
		l.Kind = "other"
		var e *ratmom.Error
		var refused *statusError
		switch {
		case errors.As(o.err, &refused):
			l.Kind = "status"
		case errors.As(o.err, &e):
			l.Kind = e.Kind.Error()
			if e.RemoteAddr.IsValid() && l.RemoteAddr == "" {
				l.LocalAddr, l.RemoteAddr = e.LocalAddr.String(), e.RemoteAddr.String()
			}
		}
	}
	b, err := json.Marshal(l)
	if err != nil {
		b = []byte(`{"error":"the metrics could not be written"}`)
	}
	_, _ = r.to.Write(append(b, '\n'))
}

func (l *reportLine) fill(resp *ratmom.Response) {
	l.Method, l.Status = resp.Request.Method, resp.StatusCode
	l.EffectiveURL = failure.Mask(resp.EffectiveURL)
	if a := resp.RemoteAddr(); a.IsValid() {
		l.LocalAddr, l.RemoteAddr = resp.LocalAddr().String(), a.String()
	}
	m, ok := resp.Metrics()
	if !ok {
		return
	}
	l.HTTPVersion, l.Reused = m.HTTPVersion, m.ConnectionReused
	l.Received, l.Sent, l.Speed = m.Received, m.Sent, m.DownloadSpeed
	l.RequestHead, l.ResponseHead = m.RequestHead, m.ResponseHead
	s := &l.Seconds
	s.NameLookup, s.Connect, s.TLSHandshake = m.NameLookup.Seconds(), m.Connect.Seconds(), m.TLSHandshake.Seconds()
	s.PreTransfer, s.FirstByte, s.Total = m.PreTransfer.Seconds(), m.FirstByte.Seconds(), m.Total.Seconds()
}
