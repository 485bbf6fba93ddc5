//go:build !race

package grid

const allocsUnknown = false
