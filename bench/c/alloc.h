/* libcurl's memory from free lists, as ratmom gives it: a small transfer makes some
 * forty blocks and frees them at its end. */
#ifndef BENCH_ALLOC_H
#define BENCH_ALLOC_H

/* In place of curl_global_init. Returns a CURLcode. */
int alloc_init(void);

#endif
