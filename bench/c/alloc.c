#include "alloc.h"

#include <curl/curl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SMALL 1032 /* the biggest block that is kept */
#define KEEP 1024  /* blocks of one size */

/* One list a thread: the resolver has threads of its own. What is left in a thread's
 * list at its end is lost, which a benchmark may. */
static __thread struct {
    void *head[SMALL / 16 + 1];
    unsigned n[SMALL / 16 + 1];
} lists;

/* glibc's blocks hold 24, 40, 56 ... bytes. */
static unsigned class_of(size_t n) { return n <= 24 ? 1 : (unsigned)((n + 7) >> 4); }

static void *get(size_t n) {
    unsigned k = class_of(n);
    void *p;
    if (n > SMALL)
        return malloc(n);
    p = lists.head[k];
    if (!p)
        return malloc(k * 16 + 8);
    lists.head[k] = *(void **)p;
    lists.n[k]--;
    return p;
}

static void put(void *p) {
    size_t usable = p ? malloc_usable_size(p) : 0;
    unsigned k = usable < 24 ? 0 : (unsigned)((usable - 8) >> 4);
    if (!k || usable > SMALL || lists.n[k] == KEEP) {
        free(p);
        return;
    }
    *(void **)p = lists.head[k];
    lists.head[k] = p;
    lists.n[k]++;
}

static void *get_zeros(size_t n, size_t size) {
    void *p;
    if (!size || n > SMALL / size)
        return calloc(n, size);
    p = get(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

static char *copy(const char *s) {
    size_t n = strlen(s) + 1;
    char *p = get(n);
    return p ? memcpy(p, s, n) : NULL;
}

int alloc_init(void) {
    return (int)curl_global_init_mem(CURL_GLOBAL_ALL, get, put, realloc, copy, get_zeros);
}
