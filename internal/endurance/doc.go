// Package endurance holds the tests of what a client must bear: silent, slow,
// dying and lying servers, thousands of requests at once, bodies of a gigabyte,
// a name server that never answers. They go through the public API, with the
// counterparts in processes of their own where memory or descriptors are counted.
//
// The heavy ones are left out with -short.
package endurance
