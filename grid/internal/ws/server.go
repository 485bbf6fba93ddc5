package ws

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Upgrade makes a WebSocket of a request that asks for it with the subprotocol. deadline is for what
// is written of the handshake; the connection has none afterwards. The caller owns the Conn, whatever
// becomes of the request.
//
// A request that cannot become one is answered: 405 if it is not a GET, 426 if it does not ask for
// version 13 of WebSocket, 400 if its key is none or it does not offer the subprotocol, 403 if it
// comes from a web page, 501 if the server does not give the connection away. Then the error is a
// *HandshakeError.
func Upgrade(w http.ResponseWriter, r *http.Request, subprotocol string, deadline time.Time) (*Conn, error) {
	key, refused := check(r, subprotocol)
	if refused != nil {
		return nil, refuse(w, r, refused)
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, refuse(w, r, &HandshakeError{http.StatusNotImplemented, "the connection cannot be taken over: " + err.Error()})
	}
	early := rw.Reader.Buffered()
	c := newConn(nc, false)
	if early > len(c.buf) {
		c.buf = make([]byte, early)
	}
	b, _ := rw.Peek(early)
	c.to = copy(c.buf, b)

	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Accept: " + acceptFor(key) + "\r\n"
	if subprotocol != "" {
		answer += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	_ = nc.SetDeadline(deadline)
	if _, err := nc.Write([]byte(answer + "\r\n")); err != nil {
		_ = nc.Close()
		return nil, fmt.Errorf("websocket: answering the handshake: %w", err)
	}
	_ = nc.SetDeadline(time.Time{})
	return c, nil
}

// check gives the key of a request that may become a WebSocket.
func check(r *http.Request, subprotocol string) (key string, err *HandshakeError) {
	if r.Method != http.MethodGet {
		return "", &HandshakeError{http.StatusMethodNotAllowed, "only GET opens a WebSocket"}
	}
	if r.ProtoMajor != 1 || r.ProtoMinor < 1 || !upgrades(r.Header) {
		return "", &HandshakeError{http.StatusUpgradeRequired, "only WebSocket is spoken here, over HTTP/1.1"}
	}
	if v, ok := only(r.Header, "Sec-Websocket-Version"); !ok || v != version {
		return "", &HandshakeError{http.StatusUpgradeRequired, "only version " + version + " of WebSocket is spoken here"}
	}
	key, ok := only(r.Header, "Sec-Websocket-Key")
	if nonce, err := base64.StdEncoding.DecodeString(key); !ok || err != nil || len(nonce) != 16 {
		return "", &HandshakeError{http.StatusBadRequest, "Sec-WebSocket-Key is not the base64 of 16 bytes"}
	}
	if len(r.Header["Origin"]) > 0 {
		return "", &HandshakeError{http.StatusForbidden, "web pages are not served here"}
	}
	if subprotocol != "" && !slices.Contains(offered(r.Header), subprotocol) {
		return "", &HandshakeError{http.StatusBadRequest, "the subprotocol " + subprotocol + " is not offered"}
	}
	return key, nil
}

// offered are the subprotocols of a request, which are told apart by their case.
func offered(h http.Header) []string {
	list := strings.Split(strings.Join(h["Sec-Websocket-Protocol"], ","), ",")
	for i := range list {
		list[i] = strings.Trim(list[i], " \t")
	}
	return list
}

func refuse(w http.ResponseWriter, r *http.Request, e *HandshakeError) error {
	h := w.Header()
	switch e.Status {
	case http.StatusMethodNotAllowed:
		h.Set("Allow", http.MethodGet)
	case http.StatusUpgradeRequired:
		if r.ProtoMajor == 1 {
			h.Set("Upgrade", "websocket")
			h.Set("Connection", "Upgrade")
		}
		h.Set("Sec-WebSocket-Version", version)
	}
	http.Error(w, e.Reason, e.Status)
	return e
}
