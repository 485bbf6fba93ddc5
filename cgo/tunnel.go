package cgo

/*
#include "ratmom.h"
*/
import "C"

import "os"

// Tunnel says whether a transfer only makes a connection, whose bytes are then the
// caller's, and how they get there.
type Tunnel uint32

const (
	TunnelNone   Tunnel = C.RATMOM_TUNNEL_NONE
	TunnelSocket Tunnel = C.RATMOM_TUNNEL_SOCKET // the caller gets the socket; the transfer ends
	// TunnelWebSocket is a relay of WebSocket frames; see [FrameHead].
	TunnelWebSocket Tunnel = C.RATMOM_TUNNEL_WEBSOCKET
	TunnelRelay     Tunnel = C.RATMOM_TUNNEL_RELAY // the loop moves the bytes until the transfer ends
)

// TakeTunnel returns the caller's end of the tunnel, nil if there is none or it has
// been taken.
func (t *Transfer) TakeTunnel() *os.File {
	fd := t.r.tunnel_fd
	if fd < 0 {
		return nil
	}
	t.r.tunnel_fd = -1
	return os.NewFile(uintptr(fd), "tunnel")
}

// ConnectStatus is the status with which a proxy answered the last CONNECT of a
// transfer that has failed; 0: there was none.
func (t *Transfer) ConnectStatus() int { return int(t.r.infos.connect_code) }

// FrameHead stands before each piece of a WebSocket frame on its way between the caller
// and the loop, in the machine's byte order: flags, bytes that follow in the piece, and
// bytes of the frame that come in further pieces. The caller sends each frame in one
// piece.
const FrameHead = C.RATMOM_FRAME_HEAD

// The flags of a frame. Pings have been answered by the loop.
const (
	FrameText   = C.CURLWS_TEXT
	FrameBinary = C.CURLWS_BINARY
	FrameMore   = C.CURLWS_CONT // further frames of the message follow
	FrameClose  = C.CURLWS_CLOSE
	FramePing   = C.CURLWS_PING
	FramePong   = C.CURLWS_PONG
)

// The values of OptConnectOnly and OptWSOptions.
const (
	ConnectOnlyWebSocket = 2
	WSNoAutoPong         = 2 // libcurl 8.14
)
