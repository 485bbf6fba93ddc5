#include "latency.h"

#define BUCKETS (sizeof(((struct latencies *)0)->buckets) / sizeof(uint64_t))

static uint64_t lower(unsigned i) {
    unsigned shift = i >> SUB_BITS ? (i >> SUB_BITS) - 1 : 0;
    return (uint64_t)(i - (shift << SUB_BITS)) << shift;
}

double latency_percentile(const struct latencies *l, double p) {
    uint64_t all = 0, seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++)
        all += l->buckets[i];
    for (unsigned i = 0; i + 1 < BUCKETS; i++) {
        seen += l->buckets[i];
        if (all && (double)seen >= p * (double)all)
            return (double)(lower(i) + lower(i + 1)) / 2e3;
    }
    return 0;
}
