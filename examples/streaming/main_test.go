package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/ratmom/ratmom/internal/demo"
)

func TestStreaming_prints_all_events(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), nil, &out))
	for i := 1; i <= 5; i++ {
		assert.Contains(t, out.String(), fmt.Sprintf(" ms  tick: tick %d of 5\n", i))
	}
}

func TestStreaming_prints_an_event_before_the_stream_ends(t *testing.T) {
	s, err := demo.Start(t.Context())
	require.NoError(t, err)
	defer s.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	err = run(ctx, []string{s.URL + "/events"}, writer(func(b []byte) {
		if strings.Contains(string(b), "tick 1 of 5") {
			cancel()
		}
		assert.NotContains(t, string(b), "tick 5")
	}))
	assert.ErrorIs(t, err, context.Canceled)
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) {
	w(b)
	return len(b), nil
}
