package grid

import "time"

// pings are those that were sent and not answered, the oldest first. It is used under the session's lock.
type pings struct {
	sent []sentPing
}

type sentPing struct {
	nonce uint64
	at    int64
}

// maxPings is how many are kept: those of one long round trip. Further ones are signs of life alone.
const maxPings = 16

// add notes that a ping is sent. Those that are older than the longest silence are forgotten.
func (p *pings) add(nonce uint64, now int64, longest time.Duration) {
	for len(p.sent) > 0 && now-p.sent[0].at > int64(longest) {
		p.sent = append(p.sent[:0], p.sent[1:]...)
	}
	if len(p.sent) < maxPings {
		p.sent = append(p.sent, sentPing{nonce, now})
	}
}

// answered is how long the answer took. The pings before it need none any more: of several, a peer answers the last.
func (p *pings) answered(nonce uint64, now int64) (d int64, ok bool) {
	for i, sent := range p.sent {
		if sent.nonce == nonce {
			p.sent = append(p.sent[:0], p.sent[i+1:]...)
			return now - sent.at, true
		}
	}
	return 0, false
}
