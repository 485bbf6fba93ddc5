package usercall

import (
	"bytes"
	"log"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestRun_logs_a_panic_and_goes_on(t *testing.T) {
	var out bytes.Buffer
	before := log.Writer()
	log.SetOutput(&out)
	defer log.SetOutput(before)
	ran := false
	Run("Report", func() { ran = true })
	assert.True(t, ran)
	assert.Empty(t, out.String())
	Run("Report", func() { panic("oh") })
	assert.Contains(t, out.String(), "panic in Report: oh")
	assert.Contains(t, out.String(), "usercall_test.go")
}
