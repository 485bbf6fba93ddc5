// Package resolve finds the endpoints of a name: addresses with ports, priorities and
// weights, and how long they may be used.
//
//	names := &resolve.Cache{Resolver: &resolve.DNS{}}
//	defer names.Close()
//	answer, err := names.Resolve(ctx, resolve.Name{Scheme: "https", Host: "example.org"})
//
// # Resolvers
//
//   - [Literal] knows addresses only.
//   - [Static] has a list of addresses, and [List] one of hosts that another resolver
//     resolves.
//   - [System] asks the operating system.
//   - [DNS] asks name servers: SRV, HTTPS, A and AAAA records, with their TTLs.
//   - [WellKnown] fetches which other host stands for a host, and asks another
//     resolver for that; [Matrix] is one.
//   - [Cache] keeps what another resolver says, renews it in time and tells what has
//     changed.
//
// Failures are an [*Error] with a [Kind]: a name that does not exist is not a server
// that does not answer.
package resolve
