package config

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestAWSSigV4_prints_without_its_keys(t *testing.T) {
	c := AWSSigV4{AccessKeyID: secretText, SecretAccessKey: secretText, SessionToken: secretText, Region: "r", Service: "s"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		assert.Equal(t, "AWSSigV4{r s}", fmt.Sprintf(verb, c), verb)
		assert.NotContains(t, fmt.Sprintf(verb, &c), secretText, verb)
	}
}
