package cgo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestURLs_are_parsed_when_they_come_again(t *testing.T) {
	var c urlCache
	defer c.close()
	text := []byte("http://example.com/a?b\x00")
	require.Nil(t, c.get(text), "the first time")
	u := c.get(text)
	require.NotNil(t, u)
	require.Same(t, u, c.get(text))
	assert.EqualValues(t, 3, u.refs.Load(), "the cache's, and two that were handed out")
	u.release()
	u.release()
	assert.EqualValues(t, 1, u.refs.Load())
}

func TestURLs_that_do_not_fit_are_not_kept(t *testing.T) {
	var c urlCache
	defer c.close()
	for _, text := range []string{
		"http://[fe80::1%25eth0]/\x00", // a copy would lose the zone
		"http://example.com/" + strings.Repeat("x", maxURLKept) + "\x00",
		"http://exa mple.com/\x00", // libcurl refuses it
	} {
		for range 3 {
			assert.Nil(t, c.get([]byte(text)), text)
		}
	}
}

func TestURLs_give_way_to_others_and_outlive_the_cache_while_they_are_used(t *testing.T) {
	var c urlCache
	var held []*parsedURL
	for i := range 4 * urlSlots {
		text := fmt.Appendf(nil, "http://example.com/%d\x00", i)
		c.get(text)
		u := c.get(text)
		require.NotNil(t, u)
		held = append(held, u)
	}
	c.close()
	for range 3 {
		require.Nil(t, c.get([]byte("http://example.com/late\x00")), "nobody would free it")
	}
	for i, u := range held {
		assert.Equal(t, fmt.Sprintf("http://example.com/%d\x00", i), string(u.text))
		assert.EqualValues(t, 1, u.refs.Load())
		u.release()
	}
}
