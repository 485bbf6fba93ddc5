package peer

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is the end of what a closed map had under way, and what it says to
	// requests from then on.
	ErrClosed = errors.New("peer: the map is closed")

	// ErrUnavailable is what requests to a peer get that has failed a short while ago;
	// the failure itself is wrapped in it. See [Map.ClearError].
	ErrUnavailable = errors.New("peer: the peer has failed before")

	// ErrQueueFull is the end of a request for which there is no room in the queue of
	// its peer.
	ErrQueueFull = errors.New("peer: too many requests wait for a connection")

	// ErrPinLost is the end of every request on a pin whose connection is over.
	ErrPinLost = errors.New("peer: the pinned connection is lost")

	// ErrPinReleased is the end of a request on a pin that its owner has released.
	ErrPinReleased = errors.New("peer: the pin was released")

	// ErrTooManyPins is what [Peer.Pin] returns at the limit.
	ErrTooManyPins = errors.New("peer: too many connections are pinned")

	// ErrNotPinned is the end of a request whose credentials belong to its connection, which others
	// might use as well; see [Owner].
	ErrNotPinned = errors.New("peer: credentials of this kind need a pinned connection, or an owner")

	// ErrOverrun is the end of a request whose response does not fit the memory that
	// is there for it.
	ErrOverrun = errors.New("peer: the response does not fit")
)

func pinLost(err error) error {
	if err == nil {
		return ErrPinLost
	}
	return fmt.Errorf("%w: %w", ErrPinLost, err)
}
