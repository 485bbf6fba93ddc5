//go:build race || ratmom_poll

package endurance

// bounded is false where bounds of memory and speed say nothing of the client: the
// race detector has memory of its own, and the portable loop is not built for size.
const bounded = false
