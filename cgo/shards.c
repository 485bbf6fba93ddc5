/* Spreads the connections to a server that takes one request at a time over pools of
 * some size each. For each request libcurl goes through the pool's connections to the
 * host, those in use too, until one is free: with a thousand in flight it touches
 * hundreds of them, which costs more than all the rest of the request.
 *
 * The first pool is the multi's own, shard n is lane RATMOM_SHARD_LANES + n (lanes.c). A
 * request gets the first pool that has room: so there are never more connections
 * than there would be in one pool, and the last pools are the first that nobody uses. */
#include "sockets.h"

#include <stdlib.h>
#include <string.h>

#define SHARD 64       /* connections of a pool to one origin */
#define BUCKETS 4096   /* a power of two */
#define LOOKS 64       /* sockets that are looked at for one to close */
#define PER_TRANSFER 4 /* connections, unless there is a limit: libcurl's default */

static struct ratmom_origin **place_of(struct ratmom_multi *m, uint64_t key) {
    struct ratmom_origin **at = &m->origins[key * 0x9e3779b97f4a7c15ull >> 52];
    _Static_assert(BUCKETS == 1 << (64 - 52), "the hash is as long as the table");
    while (*at && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

struct ratmom_origin *ratmom_origin_of(struct ratmom_multi *m, uint64_t key) {
    if (!m->origins && !(m->origins = calloc(BUCKETS, sizeof(struct ratmom_origin *))))
        return NULL;
    struct ratmom_origin **at = place_of(m, key), *o = *at;
    if (!o && (o = calloc(1, sizeof(*o)))) {
        o->key = key;
        o->n = o->cap = 1;
        o->shards = &o->one;
        *at = o;
    }
    return o;
}

/* Forgets it if nothing of it is left. */
void ratmom_origin_forget(struct ratmom_multi *m, struct ratmom_origin *o) {
    if (o->users || o->conns || o->crowds)
        return;
    *place_of(m, o->key) = o->next;
    if (o->shards != &o->one)
        free(o->shards);
    free(o);
}

/* One more shard; 0 when there is no memory. */
static int grow(struct ratmom_origin *o) {
    if (o->n == o->cap) {
        uint32_t cap = o->cap * 4;
        struct ratmom_shard *p = realloc(o->shards == &o->one ? NULL : o->shards, cap * sizeof(*p));
        if (!p)
            return 0;
        if (o->shards == &o->one)
            p[0] = o->one;
        memset(p + o->n, 0, (cap - o->n) * sizeof(*p));
        o->shards = p;
        o->cap = cap;
    }
    o->n++;
    return 1;
}

/* The first shard with room: one that has more connections, since they came before it
 * was known how the server speaks, takes as many requests. */
static uint32_t choose(struct ratmom_origin *o) {
    for (uint32_t i = o->first;; i++) {
        if (i == o->n && (i == RATMOM_SHARDS || !grow(o)))
            return 0;
        struct ratmom_shard *s = &o->shards[i];
        if (s->users < SHARD || s->users < s->conns) {
            o->first = i;
            return i;
        }
    }
}

/* Chooses the shard of a request that is about to be added. */
uint32_t ratmom_shard_enter(struct ratmom_multi *m, struct ratmom_req *r) {
    struct ratmom_origin *o = m->bounded || !r->origin ? NULL : ratmom_origin_of(m, r->origin);
    r->at = o;
    r->shard = 0;
    if (!o)
        return 0;
    if (r->serial || o->http1)
        r->shard = choose(o);
    o->users++;
    o->shards[r->shard].users++;
    return r->shard;
}

void ratmom_shard_leave(struct ratmom_multi *m, struct ratmom_req *r) {
    struct ratmom_origin *o = r->at;
    if (!o)
        return;
    o->users--;
    o->shards[r->shard].users--;
    if (r->shard < o->first)
        o->first = r->shard;
    r->at = NULL;
    ratmom_origin_forget(m, o);
}

/* Learns from the version of an answer whether the origin takes requests side by side. */
void ratmom_shard_learn(struct ratmom_req *r, char version) {
    struct ratmom_origin *o = r->at;
    if (!o)
        return;
    uint32_t http1 = version == '1', shares = version == '2' || version == '3';
    if (o->http1 == http1 && o->shares == shares)
        return;
    o->http1 = http1;
    o->shares = shares;
    ratmom_crowd_learn(r->multi, o);
}

/* Counts a socket that r has opened. */
void ratmom_shard_opened(struct ratmom_fd *f, struct ratmom_req *r) {
    struct ratmom_origin *o = r->at;
    if (!o)
        return;
    f->at = o;
    f->shard = r->shard;
    o->conns++;
    o->shards[r->shard].conns++;
    r->multi->conns++;
}

void ratmom_shard_closed(struct ratmom_multi *m, struct ratmom_fd *f) {
    struct ratmom_origin *o = f->at;
    if (!o)
        return;
    o->conns--;
    o->shards[f->shard].conns--;
    m->conns -= !f->hungup;
    f->at = NULL;
    ratmom_origin_forget(m, o);
}

/* Keeps the limit of connections, which libcurl knows in each pool alone: called at the end of
 * a transfer, ends one that is idle in another pool than the first, if there are too many. */
void ratmom_shards_trim(struct ratmom_multi *m) {
    uint32_t most = m->max_conns ? m->max_conns : (m->nlive + 1) * PER_TRANSFER;
    if (m->conns <= most || !m->lanes)
        return;
    for (int i = 0; i < LOOKS; i++) {
        if (++m->trimmed >= m->io->nfds)
            m->trimmed = 0;
        struct ratmom_fd *f = &m->io->fds[m->trimmed];
        if (f->shard && !f->hungup && ratmom_fd_idle(m, f)) {
            ratmom_fd_hangup(m, m->trimmed);
            return;
        }
    }
}

void ratmom_shards_free(struct ratmom_multi *m) {
    for (uint32_t i = 0; m->origins && i < BUCKETS; i++)
        for (struct ratmom_origin *o; (o = m->origins[i]);) {
            o->users = o->conns = 0;
            ratmom_origin_forget(m, o);
        }
    free(m->origins);
    m->origins = NULL;
}
