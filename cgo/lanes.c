/* Keeps new requests off an HTTP/2 connection on which many streams are paused, or through
 * which nothing comes any more. libcurl
 * reads a connection for all its streams, into its own memory for those that are
 * paused, up to their windows: the traffic of others is what fills them. libcurl has no
 * way to be told to leave a connection alone, and would choose the oldest each time.
 * So a request whose origin has such a connection is added to another lane. Each lane
 * but the first is a pool of connections of its own, a CURLSH that shares nothing
 * else; those who come to a lane share its connections. */
#include "sockets.h"

#include <stdlib.h>
#include <string.h>

#define SHARED 128                  /* the first ones */
#define OWN RATMOM_SHARD_LANES      /* up to here each is for one transfer */
#define LANES (OWN + RATMOM_SHARDS) /* the rest are pools of shards.c */
#define IDLE_NS (60 * 1000000000ll) /* a lane that was not used for so long is closed */

struct ratmom_lane {
    CURLSH *share;
    uint32_t users; /* transfers in it */
    uint32_t conns; /* sockets of its connections */
    uint32_t dead;  /* of them, such as have been shut down */
    int64_t used;   /* when the last one left */
};

/* The lowest lane in which no connection to r's origin is clogged. */
static uint32_t pick(struct ratmom_multi *m, const struct ratmom_req *r) {
    uint64_t taken[SHARED / 64] = {0};
    struct ratmom_io *io = m->io;
    for (uint32_t i = 0; i < io->nclogged; i++) {
        struct ratmom_fd *f = &io->fds[io->clogged[i]];
        if (f->origin == r->origin && f->lane < SHARED)
            taken[f->lane / 64] |= 1ull << f->lane % 64;
    }
    for (uint32_t lane = 0; lane < SHARED; lane++)
        if (!(taken[lane / 64] >> lane % 64 & 1))
            return lane;
    return 0;
}

/* A lane that nobody is in; 0 if there is none. It is for transfers that are to have a
 * connection of their own: libcurl makes a fresh one for them and closes it at their
 * end, but lets others join it over HTTP/2 meanwhile. And before 8.0.0 a transfer whose
 * speed is limited keeps what it may not take yet in the input of its connection, and
 * the others there may lose a part of what is theirs (upload.c). */
static uint32_t pick_own(const struct ratmom_multi *m) {
    for (uint32_t lane = SHARED; lane < OWN; lane++)
        if (!m->lanes || !m->lanes[lane].users)
            return lane;
    return 0;
}

static CURLSH *pool_new(void) {
    CURLSH *s = curl_share_init();
    if (s && curl_share_setopt(s, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT)) {
        curl_share_cleanup(s);
        s = NULL;
    }
    return s;
}

static void pool_close(struct ratmom_multi *m, struct ratmom_lane *l) {
    if (l->share && !ratmom_share_close(m, l->share))
        l->share = NULL;
}

/* libcurl looks for dead connections in the pool of whoever runs: those of a lane
 * that nobody uses any more would stay. */
static void sweep(struct ratmom_multi *m) {
    m->swept = m->now;
    for (uint32_t i = 0; i < LANES; i++) {
        struct ratmom_lane *l = &m->lanes[i];
        if (l->share && !l->users && m->now - l->used > IDLE_NS)
            pool_close(m, l);
    }
}

/* Closes the pools in which all connections have ended: nobody would look at them. Not
 * to be called by libcurl. */
void ratmom_lanes_bury(struct ratmom_multi *m) {
    if (!m->lanes_dead)
        return;
    m->lanes_dead = 0;
    for (uint32_t i = 0; i < LANES; i++) {
        struct ratmom_lane *l = &m->lanes[i];
        if (l->share && !l->users && l->conns == l->dead)
            pool_close(m, l);
    }
}

/* How many pools there are beside the first. */
uint32_t ratmom_lanes_open(const struct ratmom_multi *m) {
    uint32_t n = 0;
    for (uint32_t i = 0; m->lanes && i < LANES; i++)
        n += m->lanes[i].share != NULL;
    return n;
}

static void check_dead(struct ratmom_multi *m, const struct ratmom_lane *l) {
    if (l->conns && l->conns == l->dead && !l->users)
        m->lanes_dead = 1;
}

void ratmom_lane_opened(struct ratmom_multi *m, struct ratmom_fd *f) {
    if (f->lane)
        m->lanes[f->lane].conns++;
}

void ratmom_lane_dead(struct ratmom_multi *m, struct ratmom_fd *f) {
    if (!f->lane)
        return;
    m->lanes[f->lane].dead++;
    check_dead(m, &m->lanes[f->lane]);
}

void ratmom_lane_closed(struct ratmom_multi *m, struct ratmom_fd *f) {
    if (!f->lane || !m->lanes)
        return;
    m->lanes[f->lane].conns--;
    m->lanes[f->lane].dead -= f->hungup;
}

/* Chooses the lane of a request that is about to be added. */
void ratmom_lane_enter(struct ratmom_multi *m, struct ratmom_req *r) {
    if (m->lanes && m->now - m->swept > IDLE_NS)
        sweep(m);
    uint32_t shard = ratmom_shard_enter(m, r), lane = 0;
    int shares = r->origin && !r->serial;
    if (shares && (r->limited || (r->fresh && r->forbid)) && m->max_paused)
        lane = pick_own(m);
    else if (shard)
        lane = RATMOM_SHARD_LANES + shard - 1;
    else if (shares && m->io->nclogged)
        lane = pick(m, r);
    if (!lane || (!m->lanes && !(m->lanes = calloc(LANES, sizeof(*m->lanes)))))
        return;
    struct ratmom_lane *l = &m->lanes[lane];
    if (!l->share && !(l->share = pool_new()))
        return;
    if (curl_easy_setopt(r->easy, CURLOPT_SHARE, l->share))
        return;
    l->users++;
    r->lane = lane;
}

/* The easy handle, which is out of the multi, forgets its lane. */
void ratmom_lane_leave(struct ratmom_multi *m, struct ratmom_req *r) {
    ratmom_shard_leave(m, r);
    if (!r->lane)
        return;
    struct ratmom_lane *l = &m->lanes[r->lane];
    curl_easy_setopt(r->easy, CURLOPT_SHARE, NULL);
    l->users--;
    l->used = m->now;
    check_dead(m, l);
    r->lane = 0;
}

void ratmom_lanes_free(struct ratmom_multi *m) {
    for (uint32_t i = 0; m->lanes && i < LANES; i++)
        pool_close(m, &m->lanes[i]);
    free(m->lanes);
    m->lanes = NULL;
}

static void note_clogged(struct ratmom_io *io, int32_t fd) {
    if (io->nclogged == io->cap_clogged) {
        uint32_t cap = io->cap_clogged ? io->cap_clogged * 2 : 16;
        int32_t *p = realloc(io->clogged, cap * sizeof(*p));
        if (!p)
            return; /* it goes on taking requests */
        io->clogged = p;
        io->cap_clogged = cap;
    }
    io->clogged[io->nclogged++] = fd;
}

void ratmom_fd_unclog(struct ratmom_multi *m, int32_t fd) {
    struct ratmom_io *io = m->io;
    for (uint32_t i = 0; i < io->nclogged; i++) {
        if (io->clogged[i] == fd) {
            io->clogged[i] = io->clogged[--io->nclogged];
            return;
        }
    }
}

/* Counts r, which has paused, on its connection. */
void ratmom_io_paused(struct ratmom_req *r) {
    struct ratmom_multi *m = r->multi;
    if (!m || !m->max_paused || r->fd < 0 || r->counted)
        return;
    struct ratmom_fd *f = &m->io->fds[r->fd];
    if (f->gen != r->fd_gen || !f->http2)
        return;
    r->counted = 1;
    if (++f->paused == m->max_paused && !f->mute)
        note_clogged(m->io, r->fd);
}

/* Keeps new requests off the connection, whose other end acknowledges nothing: libcurl
 * would give it each one until that has timed out, too. It is hung up when nobody is on
 * it any more; those who are may have more patience, and the path may come back. */
void ratmom_fd_mute(struct ratmom_multi *m, int32_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    if (f->mute)
        return;
    f->mute = 1;
    if (f->link)
        ratmom_link_down(m, f);
    else if (f->paused < m->max_paused) /* else it is noted, or nothing is to be */
        note_clogged(m->io, fd);
}

/* Ends a connection that was muted once nobody is on it. */
void ratmom_fd_left(struct ratmom_multi *m, int32_t fd, uint32_t gen) {
    if (fd < 0 || fd >= m->io->nfds)
        return;
    struct ratmom_fd *f = &m->io->fds[fd];
    if (f->gen == gen && f->mute && !f->users && !f->hungup)
        ratmom_fd_hangup(m, fd);
}

void ratmom_io_resumed(struct ratmom_req *r) {
    if (!r->counted)
        return;
    r->counted = 0;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (f->gen == r->fd_gen && f->paused-- == r->multi->max_paused && !f->mute)
        ratmom_fd_unclog(r->multi, r->fd);
}
