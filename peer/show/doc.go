// Package show renders what a [peer.Map] is doing: as a table, a page, JSON, or metrics.
//
//	mux.Handle("/debug/peers", show.Handler(m))
//
// "ratmom peers" prints the table of another process. What servers say of themselves is escaped, or
// quoted; secrets in URLs are masked. But it tells whom the program talks to, and
// about what: it belongs on an address that only its operators reach.
package show
