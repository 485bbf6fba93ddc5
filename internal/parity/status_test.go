package parity

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/ratmom/ratmom/config"
	"github.com/ratmom/ratmom/internal/testserver"
)

func TestStatus_is_the_servers(t *testing.T) {
	for _, status := range []int{200, 202, 204, 302, 308, 400, 403, 404, 418, 429, 451, 500, 503, 304, 599, 299} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			m := testserver.MockReply(t, testserver.Reply{Status: status, Reason: "As It Is"})
			resp, _ := get(t, newClient(t), m.URL, config.MaxRedirects(3))
			assert.Equal(t, status, resp.StatusCode)
			assert.Equal(t, fmt.Sprintf("%d As It Is", status), resp.Status)
			assert.Len(t, m.Requests(), 1)
		})
	}
}
