// Package auth proves to each side of a grid connection who the other one is: by a secret that both
// know, by certificates, by both, or not at all.
//
// Each side gives a nonce, and a proof that it knows the secret: an HMAC-SHA256 over its own role, the
// nonces and names of both, and, under TLS, keying material of that very TLS connection (RFC 5705, with
// the label of RFC 9266's kind). A proof thus can neither be used again, nor sent back to its maker, nor
// passed on through a connection of somebody between. No clock is needed.
package auth
