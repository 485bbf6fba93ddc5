package main

import "time"

// sizes can be cut for a quick look.
type sizes struct {
	requests int           // small ones; the other rows' numbers follow from it
	files    int           // what one process may open
	after    time.Duration // when the slow server answers, if all are in flight by then
	short    bool
}

func rows(z sizes) []row {
	var all []row
	all = append(all, smallRows(z)...)
	all = append(all, bodyRows(z)...)
	all = append(all, inFlightRows(z)...)
	all = append(all, connectionRows(z)...)
	all = append(all, peerRows(z)...)
	all = append(all, servingRows(z)...)
	all = append(all, gridRows(z)...)
	return append(all, http3Rows(z)...)
}
