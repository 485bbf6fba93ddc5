/* Body memory: chunks filled by the write callback on the agent's thread and
 * given back by whichever goroutine reads the body. */
#include "ratmom.h"

#include <pthread.h>
#include <stdlib.h>

#define KEEP 64 /* full chunks kept for the next body: 4 MiB */

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct ratmom_chunk *spare;
static int nspare;
static int64_t bytes_out;

struct ratmom_chunk *ratmom_chunk_get(size_t want) {
    struct ratmom_chunk *c = NULL;
    if (want == RATMOM_CHUNK) {
        pthread_mutex_lock(&mu);
        if ((c = spare)) {
            spare = c->next;
            nspare--;
        }
        pthread_mutex_unlock(&mu);
    }
    if (!c) {
        c = malloc(sizeof(*c) + want);
        if (!c)
            return NULL;
        c->cap = (uint32_t)want;
    }
    c->next = NULL;
    c->len = 0;
    __atomic_add_fetch(&bytes_out, c->cap, __ATOMIC_RELAXED);
    return c;
}

void ratmom_chunk_put(struct ratmom_chunk *list) {
    while (list) {
        struct ratmom_chunk *c = list;
        list = c->next;
        __atomic_sub_fetch(&bytes_out, c->cap, __ATOMIC_RELAXED);
        if (c->cap == RATMOM_CHUNK) {
            pthread_mutex_lock(&mu);
            if (nspare < KEEP) {
                c->next = spare;
                spare = c;
                nspare++;
                c = NULL;
            }
            pthread_mutex_unlock(&mu);
        }
        free(c);
    }
}

/* Frees what is kept, so that a leak check sees only what is lost. */
void ratmom_chunk_trim(void) {
    pthread_mutex_lock(&mu);
    while (spare) {
        struct ratmom_chunk *c = spare;
        spare = c->next;
        free(c);
    }
    nspare = 0;
    pthread_mutex_unlock(&mu);
}

int64_t *ratmom_count_multis(void) {
    static int64_t n;
    return &n;
}

static int64_t transfers, links, adds;

void ratmom_count_transfer(int d) { __atomic_add_fetch(&transfers, d, __ATOMIC_RELAXED); }
void ratmom_count_link(int d) { __atomic_add_fetch(&links, d, __ATOMIC_RELAXED); }
void ratmom_count_add(void) { __atomic_add_fetch(&adds, 1, __ATOMIC_RELAXED); }

void ratmom_counts_get(struct ratmom_counts *out) {
    out->transfers = __atomic_load_n(&transfers, __ATOMIC_RELAXED);
    out->links = __atomic_load_n(&links, __ATOMIC_RELAXED);
    out->multis = __atomic_load_n(ratmom_count_multis(), __ATOMIC_RELAXED);
    out->chunk_bytes = __atomic_load_n(&bytes_out, __ATOMIC_RELAXED);
    out->easy_adds = __atomic_load_n(&adds, __ATOMIC_RELAXED);
}
