package balance

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSticky_returns_to_the_endpoint_that_the_token_names(t *testing.T) {
	eps, p := some(10), &Sticky{Secret: []byte("one"), Policy: new(First)}
	for i, e := range eps {
		token := p.Token(e)
		assert.Regexp(t, "^[0-9a-f]{32}$", token)
		assert.Equal(t, i, p.Pick(eps, Key(token), noon))
		without := slices.Delete(slices.Clone(eps), i, i+1)
		assert.Equal(t, 0, p.Pick(without, Key(token), noon), "it is not there: what First picks")
	}
	assert.Equal(t, 0, p.Pick(eps, "unknown", noon))
	assert.Equal(t, 0, p.Pick(eps, "", noon))
}

func TestSticky_has_tokens_that_depend_on_secret_and_name_alone(t *testing.T) {
	e := &Endpoint{Address: "10.0.0.1:80"}
	one, again, two := &Sticky{Secret: []byte("one")}, &Sticky{Secret: []byte("one")}, &Sticky{Secret: []byte("two")}
	first := one.Token(e)
	assert.Equal(t, first, again.Token(e))
	assert.NotEqual(t, first, two.Token(e))
	assert.Equal(t, first, one.Token(&Endpoint{ID: 7, Address: "10.0.0.1:80", Weight: 3}))
	one.Token(e)
	e.Name = "other"
	assert.NotEqual(t, first, one.Token(e))
}
