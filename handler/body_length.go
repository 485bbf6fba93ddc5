package handler

// bodyLength is the Content-Length of the request, if it may be written beside the
// other fields: libcurl sends none of ours in a round of authentication.
func (h *Handler) bodyLength() (n int64, ok bool) {
	if h.plan.AuthArmed || h.upgrade || len(h.spec.Request.Trailer) > 0 {
		return 0, false
	}
	if h.source.IsNone() {
		return 0, h.emptyPost()
	}
	n = h.source.Length()
	if !h.plan.RoundTripper {
		if announced, err := headerLength(h.spec.Request.Header); err == nil && announced >= 0 {
			n = announced
		}
	}
	if b, ok := h.source.Bytes(); ok {
		n = min(n, int64(len(b)))
	}
	return n, n >= 0
}
