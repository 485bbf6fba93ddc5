//go:build race

package grid

// allocsUnknown: under the race detector pools forget on purpose.
const allocsUnknown = true
