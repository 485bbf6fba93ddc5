package peer

import "github.com/ratmom/ratmom/peer/balance"

// What chooses the endpoint of a request is in package balance.
type (
	// Endpoint is one address of a peer, as policies see it.
	Endpoint = balance.Endpoint
	// Key is what hashing policies go by.
	Key = balance.Key
	// Policy chooses an endpoint for a request. It is asked under the peer's lock: it must not block,
	// nor call the map. A panic of it goes to the standard logger, and the request to the first endpoint.
	Policy = balance.Policy
)
