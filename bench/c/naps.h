/* A second thread that sleeps for a short time over and over, as the monitor of Go's
 * runtime does while a program runs: what that costs a loop without any Go. */
#ifndef BENCH_NAPS_H
#define BENCH_NAPS_H

void naps_begin(long us);

#endif
