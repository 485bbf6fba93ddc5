// Package resolve finds the endpoints of a name: addresses with ports, priorities and
// weights, and how long they may be used.
//
//	names := &resolve.DNS{}
//	answer, err := names.Resolve(ctx, resolve.Name{Scheme: "https", Host: "example.org"})
//
// # Resolvers
//
//   - [Literal] knows addresses only.
//   - [Static] has a list.
//   - [System] asks the operating system.
//   - [DNS] asks name servers: SRV, HTTPS, A and AAAA records, with their TTLs.
//
// Failures are an [*Error] with a [Kind]: a name that does not exist is not a server
// that does not answer.
package resolve
