package show

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/peer"
)

func TestEndpoints_are_shown_with_what_checks_have_found(t *testing.T) {
	s := peer.Snapshot{Peers: []peer.PeerSnapshot{{Name: "http://a:80", Endpoints: []peer.EndpointSnapshot{
		{Address: "192.0.2.1:80", Check: "down", CheckError: "refused\x1b[2J", Ejected: true},
		{Address: "192.0.2.2:80", Check: "up", Authority: "b.test:8448"},
		{Address: "192.0.2.3:80", Check: "up", Ejected: true},
		{Address: "192.0.2.4:80", Check: "down", Gone: true},
	}}}}
	var table, html bytes.Buffer
	require.NoError(t, Table(&table, s))
	require.NoError(t, page.Execute(&html, s))
	assert.Regexp(t, `endpoint  192.0.2.1:80  down  .*check: "refused\\x1b\[2J"`, table.String())
	assert.Regexp(t, `endpoint  192.0.2.2:80  up as b.test:8448  `, table.String())
	assert.Regexp(t, `endpoint  192.0.2.3:80  ejected  `, table.String())
	assert.Regexp(t, `endpoint  192.0.2.4:80  gone  `, table.String())
	for _, want := range []string{"<td>192.0.2.1:80<td>down<td>", "check: refused", "<td>up as b.test:8448<td>", "<td>192.0.2.3:80<td>ejected<td>", "<td>gone<td>"} {
		assert.Contains(t, html.String(), want)
	}
}
