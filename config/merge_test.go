package config

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func settingOf(o any) setting {
	switch o := o.(type) {
	case option:
		return o.s
	case clientOption:
		return o.s
	case requestOption:
		return o.s
	}
	return nil
}

func (s settings) byType(t reflect.Type) setting {
	for _, x := range s {
		if reflect.TypeOf(x) == t {
			return x
		}
	}
	return nil
}

// loaded is an option's setting as it is stored.
func loaded(o any) setting {
	var s settings
	if err := s.put(settingOf(o)); err != nil {
		panic(err)
	}
	return s[0]
}

// text compares settings that hold functions, which are never equal.
func text(x any) string { return fmt.Sprintf("%#v", x) }

func TestMerge_for_every_option(t *testing.T) {
	for _, s := range samples() {
		if _, ok := s.first.(Option); !ok {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			typ := reflect.TypeOf(settingOf(s.first))
			_, adds := settingOf(s.first).(accumulator)
			c := client(t, s.first)

			t.Run("a request without it has the client's", func(t *testing.T) {
				got := request(t, c).set.byType(typ)
				if !adds {
					assert.Equal(t, text(loaded(s.first)), text(got))
				}
				other := request(t, c, AutoReferer(true), Metrics(true)).set.byType(typ)
				if typ != reflect.TypeFor[autoReferer]() && typ != reflect.TypeFor[metrics]() {
					assert.Equal(t, text(got), text(other))
				}
			})
			t.Run("a request with it wins", func(t *testing.T) {
				got := request(t, c, s.second)
				if !adds {
					assert.Equal(t, text(loaded(s.second)), text(got.set.byType(typ)))
				}
				for _, u := range testURLs {
					want := records(t, client(t, s.second).Defaults(), u)
					assert.Equal(t, want, withoutOwn(s, records(t, got, u)), "nothing of the client's is left")
				}
			})
			t.Run("the client's stays as it was", func(t *testing.T) {
				before, was := records(t, c.Defaults(), testURLs[1]), text(c.set)
				request(t, c, s.second)
				assert.Equal(t, before, records(t, c.Defaults(), testURLs[1]))
				assert.Equal(t, was, text(c.set))
			})
			if s.off == nil {
				return
			}
			t.Run("a request can switch it off", func(t *testing.T) {
				got := request(t, c, s.off)
				if !adds {
					assert.Equal(t, text(loaded(s.off)), text(got.set.byType(typ)), "off is set, not unset")
				}
				for _, u := range testURLs {
					want := records(t, client(t, s.off).Defaults(), u)
					assert.Equal(t, want, withoutOwn(s, records(t, got, u)))
				}
			})
		})
	}
}

// withoutOwn leaves out that a request of another interface than its client's, or with
// another setting that libcurl does not compare, has a connection of its own.
func withoutOwn(s sample, lines []string) []string {
	switch settingOf(s.first).(type) {
	case certificateChain:
	case doh, dangerDoHAcceptInvalidCertificates, dangerDoHAcceptInvalidHostnames, dohOCSPStapling:
		lines = slices.DeleteFunc(lines, func(s string) bool { return s == "CURLOPT_DNS_CACHE_TIMEOUT 0" })
	default:
		if _, ok := settingOf(s.first).(aparter); !ok {
			return lines
		}
	}
	return slices.DeleteFunc(lines, func(s string) bool {
		return s == "CURLOPT_FORBID_REUSE 1" || s == "CURLOPT_FRESH_CONNECT 1"
	})
}

func TestMerge_of_a_client_takes_the_last(t *testing.T) {
	c := client(t, Timeout(time.Second), Metrics(true), Timeout(time.Minute))
	assert.Equal(t, time.Minute, c.Defaults().TotalTimeout())
	assert.True(t, c.Defaults().Metrics())
}

func TestMerge_skips_nil(t *testing.T) {
	c, err := NewClient(nil, Metrics(true))
	require.NoError(t, err)
	r, err := c.Request(nil)
	require.NoError(t, err)
	assert.True(t, r.Metrics())
}

func TestTimeout_zero_of_a_request_switches_off_the_clients(t *testing.T) {
	c := client(t, Timeout(time.Second))
	assert.Equal(t, time.Second, request(t, c).TotalTimeout())
	assert.Equal(t, time.Minute, request(t, c, Timeout(time.Minute)).TotalTimeout())
	assert.Zero(t, request(t, c, Timeout(0)).TotalTimeout())
	assert.Zero(t, client(t).Defaults().TotalTimeout(), "unset")
}

func TestWith_builds_on_a_request(t *testing.T) {
	c := client(t, Timeout(time.Second))
	r := request(t, c, Metrics(true))
	again, err := r.With()
	require.NoError(t, err)
	assert.Same(t, r, again)

	n, err := r.With(Timeout(0))
	require.NoError(t, err)
	assert.True(t, n.Metrics())
	assert.Zero(t, n.TotalTimeout())
	assert.Equal(t, time.Second, r.TotalTimeout(), "r is as it was")
}

func TestWith_refuses_a_bad_value(t *testing.T) {
	c := client(t)
	_, err := c.Request(Timeout(-1))
	require.ErrorContains(t, err, "config.Timeout(-1ns): is negative")
	var e *Error
	require.ErrorAs(t, err, &e)
}

func TestValue_is_found_by_its_type_and_adds_up(t *testing.T) {
	type mine struct{ n int }
	c := client(t, Value(mine{1}), Value(mine{2}), Value(sum(3)), Value(sum(4)))
	v, ok := Lookup[mine](c)
	assert.Equal(t, mine{2}, v)
	assert.True(t, ok)
	n, _ := Lookup[sum](c)
	assert.Equal(t, sum(7), n)
	_, ok = Lookup[string](c)
	assert.False(t, ok)
}

type sum int

func (s sum) After(prev sum) sum { return prev + s }
