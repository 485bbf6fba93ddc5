package config

import "github.com/ratmom/ratmom/cgo"

// FreshConnection makes a new connection for the request, whatever connections
// there are. It is kept afterwards. CURLOPT_FRESH_CONNECT.
func FreshConnection() RequestOption { return forRequest(freshConnection{}) }

type freshConnection struct{}

func (freshConnection) validate() error { return nil }

func (freshConnection) encode(o *cgo.Options) { o.Long(cgo.OptFreshConnect, 1) }

// ForbidReuse closes the connection when the request has ended.
// CURLOPT_FORBID_REUSE.
func ForbidReuse() RequestOption { return forRequest(forbidReuse{}) }

type forbidReuse struct{}

func (forbidReuse) validate() error { return nil }

func (forbidReuse) encode(o *cgo.Options) { o.Long(cgo.OptForbidReuse, 1) }
