package config

import "crypto/tls"

// Defaults returns the options that every client begins with:
//
//   - the proxy that the environment names ([ProxyFromEnvironment]),
//   - the system's certificates ([SystemCA]) and at least TLS 1.2 ([TLSMinVersion]),
//   - a receive buffer of 64 KiB ([BufferSize]),
//   - at most 256 KiB of an unread body in memory ([BodyBuffer]).
//
// Whatever has no option here and is not set is as libcurl has it, or as the
// documentation of the option says.
func Defaults() []Option {
	return []Option{
		ProxyFromEnvironment(),
		SystemCA(),
		TLSMinVersion(tls.VersionTLS12),
		BufferSize(defaultBufferSize),
		BodyBuffer(defaultHighWater),
	}
}
