//go:build !race && !ratmom_poll

package endurance

const bounded = true
