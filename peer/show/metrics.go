package show

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/ratmom/ratmom/peer"
)

// MetricsType is the content type of [Metrics].
const MetricsType = "application/openmetrics-text; version=1.0.0; charset=utf-8"

// Metrics writes the counters of every peer of the map in the text form of OpenMetrics 1.0, with the label
// peer for its name.
func Metrics(w io.Writer, m *peer.Map) error {
	type row struct {
		label string
		peer.Counters
	}
	var rows []row
	m.ForEach(func(p *peer.Peer) bool {
		rows = append(rows, row{`peer="` + escape(p.ID().String()) + `"`, p.Counters()})
		return true
	})
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.label, b.label) })
	out := bufio.NewWriter(w)
	for _, f := range families {
		_, _ = fmt.Fprintf(out, "# TYPE ratmom_peer_%s counter\n# HELP ratmom_peer_%s %s\n", f.name, f.name, f.help)
		for _, r := range rows {
			f.each(&r.Counters, func(more string, n uint64) {
				_, _ = fmt.Fprintf(out, "ratmom_peer_%s_total{%s%s} %d\n", f.name, r.label, more, n)
			})
		}
	}
	_, _ = out.WriteString("# EOF\n")
	return out.Flush()
}

// family is a metric family.
type family struct {
	name, help string
	each       func(*peer.Counters, func(more string, n uint64))
}

func one(get func(*peer.Counters) uint64) func(*peer.Counters, func(string, uint64)) {
	return func(c *peer.Counters, yield func(string, uint64)) { yield("", get(c)) }
}

func byKey(key string, get func(*peer.Counters) map[string]uint64) func(*peer.Counters, func(string, uint64)) {
	return func(c *peer.Counters, yield func(string, uint64)) {
		all := get(c)
		for _, k := range slices.Sorted(maps.Keys(all)) {
			yield(","+key+`="`+escape(k)+`"`, all[k])
		}
	}
}

var families = []family{
	{"requests", "Requests that were submitted.", one(func(c *peer.Counters) uint64 { return c.Requests })},
	{"requests_ended", "Requests that have ended, by how.", byKey("how", func(c *peer.Counters) map[string]uint64 {
		return map[string]uint64{"answered": c.Answered, "failed": c.Failed, "cancelled": c.Cancelled}
	})},
	{"requests_refused", "Requests that were not tried because the peer had failed before.", one(func(c *peer.Counters) uint64 { return c.Refused })},
	{"requests_seen", "Requests that have ended, by whether anything of them may have left.", byKey("revealed", func(c *peer.Counters) map[string]uint64 {
		return map[string]uint64{"yes": c.Revealed, "no": c.Unrevealed}
	})},
	{"retries", "Requests that were queued again after a connection had failed them.", one(func(c *peer.Counters) uint64 { return c.Retries })},
	{"moves", "Requests that were put on another link before they were sent.", one(func(c *peer.Counters) uint64 { return c.Moves })},
	{"links_opened", "Links that were made.", one(func(c *peer.Counters) uint64 { return c.LinksOpened })},
	{"links_connected", "Links that have had their connection.", one(func(c *peer.Counters) uint64 { return c.LinksConnected })},
	{"links_closed", "Links that were closed, by why.", byKey("why", func(c *peer.Counters) map[string]uint64 { return c.LinksClosed })},
	{"ejections", "Endpoints that were ejected as outliers.", one(func(c *peer.Counters) uint64 { return c.Ejections })},
	{"restores", "Endpoints that were taken back into use.", one(func(c *peer.Counters) uint64 { return c.Restores })},
	{"pins", "Pins that were made.", one(func(c *peer.Counters) uint64 { return c.Pins })},
	{"pins_lost", "Pins that have lost their connection.", one(func(c *peer.Counters) uint64 { return c.PinsLost })},
}

var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// escape makes s the value of a label.
func escape(s string) string { return escapes.Replace(strings.ToValidUTF8(s, "\uFFFD")) }
