// Package parity holds tests alone. Their tables say which tests here stand for those of MinIO's
// internal/grid, the model of the grid, and what they assert:
//
//   - tests_test.go has its tests, and what they leave out;
//   - faults_test.go the faults that were mended there, and those that are found there still;
//   - promises_test.go what the grid is to do, and the figures that tests hold it to.
//
// The tests that are named are beside the code that they test.
package parity
