package model

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if beProcess() {
		return
	}
	goleak.VerifyTestMain(m)
}
