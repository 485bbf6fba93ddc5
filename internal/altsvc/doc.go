// Package altsvc remembers under which other protocol, host and port servers can be
// reached, as they say themselves (HTTP Alternative Services, RFC 7838). libcurl keeps
// such a memory in each easy handle, and cannot share it; here it is the client's. Its
// file is the one that curl reads and writes.
package altsvc
