package show

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/ratmom/ratmom/peer"
)

// Table writes a snapshot as text for people: a line for each peer, link, pipeline and request.
// Whatever a terminal would not print is quoted.
func Table(w io.Writer, s peer.Snapshot) error {
	out := bufio.NewWriter(w)
	_, _ = fmt.Fprintf(out, "%d peers, %d links, %d requests on links, %d waiting",
		len(s.Peers)+s.MorePeers, s.Links, s.Running, s.Queued)
	if s.Pipelines > 0 {
		_, _ = fmt.Fprintf(out, ", %d pipelines", s.Pipelines)
	}
	_, _ = fmt.Fprintln(out)
	for _, p := range s.Peers {
		tablePeer(out, p)
	}
	more(out, "", s.MorePeers, "peers")
	return out.Flush()
}

func tablePeer(out io.Writer, p peer.PeerSnapshot) {
	_, _ = fmt.Fprintf(out, "\n%s", clean(p.Name))
	for _, fact := range []struct{ name, value string }{
		{"proxy", p.Proxy}, {"software", p.Software}, {"protocol", p.Protocol}, {"rtt", span(p.RTT)},
		{"streams", number(p.MaxStreams)}, {"pins", number(p.Pins)}, {"error", p.Err},
	} {
		if fact.value != "" {
			_, _ = fmt.Fprintf(out, "  %s=%s", fact.name, clean(fact.value))
		}
	}
	c := p.Counters
	_, _ = fmt.Fprintf(out, "\n  requests %d: answered %d, failed %d, cancelled %d; retries %d, moves %d; links opened %d\n",
		c.Requests, c.Answered, c.Failed, c.Cancelled, c.Retries, c.Moves, c.LinksOpened)
	t := tabwriter.NewWriter(out, 2, 8, 2, ' ', 0)
	for _, e := range p.Endpoints {
		state := "up"
		switch {
		case e.Gone:
			state = "gone"
		case e.Check == "down":
			state = "down"
		case e.Ejected:
			state = "ejected"
		case e.Rests > 0:
			state = "rests " + span(e.Rests)
		}
		if e.Authority != "" {
			state += " as " + clean(e.Authority)
		}
		check := ""
		if e.CheckError != "" {
			check = "\tcheck: " + clean(e.CheckError)
		}
		_, _ = fmt.Fprintf(t, "  endpoint\t%s\t%s\t%d links\t%d in flight\tlatency %s%s\n",
			clean(orHost(e.Address)), state, e.Links, e.InFlight, orDash(span(e.Latency)), check)
	}
	more(t, "  ", p.MoreEndpoints, "endpoints")
	for _, l := range p.Links {
		pinned := ""
		if l.Pinned {
			pinned = ", pinned"
		}
		_, _ = fmt.Fprintf(t, "  link %d\t%s%s\t%s\t%d of %d\tserved %d\tage %s\n",
			l.ID, clean(l.State), pinned, clean(orHost(l.Remote)), l.Running, l.Limit, l.Served, span(l.Age))
		for _, r := range l.Requests {
			tableRequest(t, r)
		}
	}
	more(t, "  ", p.MoreLinks, "links")
	for _, l := range p.Pipelines {
		_, _ = fmt.Fprintf(t, "  pipeline %d\tdepth %d\t%s\t%d running, %d queued\tserved %d\tage %s\n",
			l.ID, l.Depth, clean(orHost(l.Remote)), l.Running, l.Queued, l.Served, span(l.Age))
		for _, r := range l.Requests {
			tableRequest(t, r)
		}
	}
	more(t, "  ", p.MorePipelines, "pipelines")
	if p.Queued > 0 {
		_, _ = fmt.Fprintf(t, "  queue\t%d\n", p.Queued)
	}
	for _, r := range p.Waiting {
		tableRequest(t, r)
	}
	more(t, "    ", p.MoreRequests, "requests")
	_ = t.Flush()
}

func tableRequest(t io.Writer, r peer.RequestSnapshot) {
	revealed := "unrevealed"
	if r.Revealed {
		revealed = "revealed"
	}
	_, _ = fmt.Fprintf(t, "    %s\t%s\t%s\tpriority %d\tretries %d\tage %s\t%s\n",
		clean(r.State), revealed, clean(orDash(r.Method)), r.Priority, r.Retries, orDash(span(r.Age)), clean(r.Target))
}

func more(w io.Writer, indent string, n int, what string) {
	if n > 0 {
		_, _ = fmt.Fprintf(w, "%sand %d more %s\n", indent, n, what)
	}
}

// span is a time for people; "" for none.
func span(s peer.Seconds) string {
	d := s.Duration()
	switch {
	case d <= 0:
		return ""
	case d < time.Millisecond:
		return d.Round(time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	}
	return d.Round(100 * time.Millisecond).String()
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func orHost(s string) string {
	if s == "" {
		return "(host)"
	}
	return s
}

// clean quotes what has in it what a terminal obeys, or a table is torn by.
func clean(s string) string {
	if strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar }) {
		return strconv.Quote(s)
	}
	return s
}
