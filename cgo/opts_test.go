package cgo

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// The numbers themselves are compared with curl.h when the package is compiled
// (opts_check.go); what is left is that packing keeps them.
func TestOptions_decode_to_what_was_packed(t *testing.T) {
	var o Options
	o.Long(OptTimeoutMS, 1500)
	o.Bool(OptNoSignal, true)
	o.OffT(OptMaxRecvSpeedLarge, 1<<40)
	o.String(OptUserAgent, "odd length")
	o.Null(OptCAPath)
	o.List(OptResolve, []string{"a:1:127.0.0.1", ""})
	o.Blob(OptCAInfoBlob, []byte{0, 1, 2})
	assert.NoError(t, o.Err())

	var got []Record
	for r := range o.Records() {
		got = append(got, r)
	}
	assert.Equal(t, []Record{
		{Opt: OptTimeoutMS, Value: int64(1500)},
		{Opt: OptNoSignal, Value: int64(1)},
		{Opt: OptMaxRecvSpeedLarge, Value: int64(1 << 40)},
		{Opt: OptUserAgent, Value: "odd length"},
		{Opt: OptCAPath, Value: nil},
		{Opt: OptResolve, Value: []string{"a:1:127.0.0.1", ""}},
		{Opt: OptCAInfoBlob, Value: []byte{0, 1, 2}},
	}, got)
}

func TestOptions_refuse_a_NUL_byte(t *testing.T) {
	var o Options
	o.String(OptUserAgent, "a\x00b")
	assert.ErrorIs(t, o.Err(), ErrNUL)
}

func TestOpt_prints_its_name(t *testing.T) {
	assert.Equal(t, "CURLOPT_TIMEOUT_MS", OptTimeoutMS.String())
	assert.Equal(t, "option 9", Opt(9).String())
}
