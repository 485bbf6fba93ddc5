package config_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom"
	"github.com/ratmom/ratmom/cgo"
	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestDoH_of_BIND_finds_hosts_that_the_system_does_not_know(t *testing.T) {
	if !cgo.Features().DoH {
		t.Skip("libcurl without DNS over HTTPS")
	}
	n := testserver.Named(t, "a 600 IN A 127.0.0.1\nb 600 IN CNAME a\nno 600 IN TXT \"no address\"\n")
	s := testserver.Start(t, testserver.H1, tell(host))
	c := newClient(t, config.DoH(n.DoHURL), config.CAFile(n.CAFile))
	for _, name := range []string{"a.test", "b.test"} {
		assert.Equal(t, fmt.Sprintf("%s:%d", name, s.Port()), get(t, c, at(s, name)))
	}
	for _, name := range []string{"gone.test", "no.test", "elsewhere.example"} {
		refused(t, ratmom.ErrNameResolution, c, at(s, name))
	}
	foreign := newClient(t, config.DoH(n.DoHURL), config.CAFile(testserver.NewAuthority(t).File(t)))
	refused(t, ratmom.ErrNameResolution, foreign, at(s, "a.test"))
}
