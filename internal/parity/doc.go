// Package parity holds tests alone. They show that this client does what isahc,
// the Rust client on libcurl that it takes after, is tested to do, and more:
//
//   - one file for each of isahc's test files, with its 87 integration tests;
//     table_test.go says which test here stands for which there, what it
//     asserts, and where and why the two clients differ;
//   - holes_*_test.go, what isahc's tests leave out;
//   - fixes_*_test.go, what this client does differently on purpose, each test
//     named after it; lists_test.go has both lists.
//
// The counterparts are servers in the process, and nginx, Squid and others beside
// it.
package parity
