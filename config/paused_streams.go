package config

import "math"

const defaultPausedStreams = 4

// MaxPausedStreams makes new requests keep off an HTTP/2 connection on which n
// responses are paused, because nobody reads them (see [BodyBuffer]). They go over
// another connection to the same server, made if there is none, and share that one.
// libcurl takes what comes for a paused stream into its memory while its connection
// has other traffic, up to the stream's window; this takes the traffic away. Requests
// that are under way stay where they are, so that it does not bound the sum. A reader
// that is slower than the network pauses its stream, too, if only for moments.
//
// Default: 4. 0 means any number. With [MaxConnections] or [MaxConnectionsPerHost] it
// does nothing: those limits win. A [ConnectionCacheSize] holds for these connections
// apart. The other connections have a libcurl pool of their own (CURLOPT_SHARE).
func MaxPausedStreams(n int) ClientOption { return forClient(maxPausedStreams(n)) }

// MaxPausedStreamsLimit returns how many paused streams keep new requests off a
// connection; 0 if none do.
func (c *ClientConfig) MaxPausedStreamsLimit() int {
	if c.MaxConnectionsLimit() > 0 || c.MaxConnectionsPerHostLimit() > 0 {
		return 0
	}
	if s, ok := lookupClient[maxPausedStreams](c); ok {
		return int(s)
	}
	return defaultPausedStreams
}

type maxPausedStreams int

func (s maxPausedStreams) validate() error {
	return checkRange("MaxPausedStreams", int(s), 0, math.MaxInt32)
}
