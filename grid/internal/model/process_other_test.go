//go:build !unix

package model

func beProcess() bool { return false }
