package config

const defaultHighWater = 256 << 10

// BodyBuffer bounds how much of a response's body is kept in memory while the
// program does not read it. When that much waits, receiving pauses; when half of
// it has been read, receiving goes on. On HTTP/2 libcurl itself holds more for a
// paused stream, up to its stream window.
//
// Unit: bytes, 1 to 1 GiB. Default: 256 KiB. A little more may be held: what
// libcurl has received already comes in pieces of up to 16 KiB.
func BodyBuffer(n int) Option { return both(bodyBuffer(n)) }

// HighWater returns at how many unread bytes receiving pauses.
func (r *RequestConfig) HighWater() int {
	if s, ok := lookup[bodyBuffer](r); ok {
		return int(s)
	}
	return defaultHighWater
}

// LowWater returns at how many unread bytes receiving goes on.
func (r *RequestConfig) LowWater() int { return r.HighWater() / 2 }

type bodyBuffer int

func (s bodyBuffer) validate() error { return checkRange("BodyBuffer", int(s), 1, 1<<30) }
