/* A histogram of latencies with logarithmic buckets; the same as the Go peers'
 * (internal/result/latency.go). */
#ifndef BENCH_LATENCY_H
#define BENCH_LATENCY_H

#include <stdint.h>

#define SUB_BITS 5

struct latencies {
    uint64_t buckets[(64 - SUB_BITS + 1) << SUB_BITS];
};

static inline void latency_add(struct latencies *l, int64_t ns) {
    uint64_t v = ns > 0 ? (uint64_t)ns : 1;
    int shift = 64 - __builtin_clzll(v) - SUB_BITS - 1;
    if (shift < 0)
        shift = 0;
    l->buckets[(shift << SUB_BITS) + (int)(v >> shift)]++;
}

/* The time in µs that the share p of all stayed below. */
double latency_percentile(const struct latencies *l, double p);

#endif
