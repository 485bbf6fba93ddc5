// Package hsts remembers which hosts want to be reached over https alone (HTTP
// Strict Transport Security, RFC 6797). libcurl keeps such a memory in each easy
// handle, where the handles of a client would each have their own; here it is the
// client's. Its file is the one that curl reads and writes.
package hsts
