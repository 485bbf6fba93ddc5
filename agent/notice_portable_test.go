//go:build !linux || ratmom_poll

package agent

import "time"

// noticed is how soon a link that the server closes is known to be gone: the portable loop
// looks at idle connections when it wakes up, once a second at the least.
const noticed = 3 * time.Second
