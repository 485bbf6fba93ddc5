package handler

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDial_has_the_values_of_a_request_and_not_its_end(t *testing.T) {
	type key struct{}
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://a.example/", nil)
	require.NoError(t, err)
	h := &Handler{spec: Spec{Request: req}}
	cancel()
	assert.Equal(t, "value", h.outliving().Value(key{}))
	assert.NoError(t, h.outliving().Err())

	h.spec.Request = nil // its error was taken
	assert.NoError(t, h.outliving().Err())
}
