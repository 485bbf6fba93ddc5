//go:build linux && !ratmom_poll

package agent

import "time"

// noticed is how soon a link that the server closes is known to be gone.
const noticed = 50 * time.Millisecond
