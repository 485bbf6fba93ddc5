// Package recipe is what programs with many peers do again and again: [Scatter] asks all of them and gathers
// what comes until a deadline, [NextBest] asks one after another until one has it, and a [Queue] sends to one of them in
// order.
package recipe
