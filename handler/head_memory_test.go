package handler

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestHead_of_any_size_is_parsed_in_its_memory_as_in_any_other(t *testing.T) {
	for fields := range 2*fewFields + 1 {
		for _, size := range []int{0, 1, 30, 60, 100, 300} {
			var b strings.Builder
			b.WriteString("HTTP/1.1 200 OK\r\n")
			for i := range fields {
				b.WriteString("x-field-" + strconv.Itoa(i/2) + ": " + strings.Repeat("v", size) + strconv.Itoa(i) + "\r\n")
			}
			b.WriteString("\r\n")
			want, err := ParseHead([]byte(b.String()))
			require.NoError(t, err)

			text, values := headMemory(b.Len())
			require.Len(t, text, b.Len())
			require.Empty(t, values)
			copy(text, b.String())
			var got Head
			require.NoError(t, got.parse(text, values))
			require.Equal(t, want, &got)
		}
	}
}

func TestValue_appended_to_a_field_of_a_small_head_does_not_change_another(t *testing.T) {
	raw := "HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\n\r\n"
	text, values := headMemory(len(raw))
	copy(text, raw)
	var head Head
	require.NoError(t, head.parse(text, values))
	head.Header.Add("A", "3")
	assert.Equal(t, http.Header{"A": {"1", "3"}, "B": {"2"}}, head.Header)
}

func TestField_whose_name_has_the_bit_of_another_is_kept_apart_and_joined_to_its_own(t *testing.T) {
	names := map[uint64]string{}
	for i := range 200 {
		name := "X" + strconv.Itoa(i)
		other, taken := names[nameBit(name)]
		names[nameBit(name)] = name
		if !taken {
			continue
		}
		head, err := ParseHead([]byte("HTTP/1.1 200 OK\r\n" + other + ": 1\r\n" + name + ": 2\r\n" + other + ": 3\r\n" + name + ": 4\r\n\r\n"))
		require.NoError(t, err)
		require.Equal(t, http.Header{other: {"1", "3"}, name: {"2", "4"}}, head.Header)
	}
}
