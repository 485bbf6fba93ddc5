// Package model has no code but tests: it runs grids over networks with faults, and
// holds every call and stream against what may become of it.
package model
