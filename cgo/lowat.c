/* How much of a large body has to come before it is read.
 *
 * Over a fast path a body comes in pieces of some KiB, and a client that is faster than its server
 * would wake for each of them, read it, look for more, find nothing and sleep again: that costs
 * more than the reading. So while a body comes fast, the kernel reports its socket when LOWAT bytes
 * are there (SO_RCVLOWAT), which at that speed takes less than a millisecond.
 *
 * Nothing waits longer than that for what is to come behind it: a timer runs as long as such
 * sockets are there, and one that had nothing to report for WAIT_NS is as before, and more and more
 * has to come fast until the next try. The length of the body has to be known: it is over well
 * before the end, which so does not wait, nor does libcurl look for an idle connection's input at a
 * socket that hides some. And the transfer has to have the connection for itself: the answers of
 * others are not to wait for it. */
#include "sockets.h"

#if defined(__linux__) && !defined(RATMOM_POLL)
#include <sys/socket.h>

#define LOWAT (128 << 10)
#define MARGIN (64 << 10)             /* may have been read and not given out: records, frames */
#define FAST_BYTES RATMOM_LOWAT_FIRST /* in */
#define FAST_NS 2000000ll             /* is fast */
#define TRIES_MOST 8
#define WAIT_NS 1000000ll

static void set(curl_socket_t fd, int n) { setsockopt(fd, SOL_SOCKET, SO_RCVLOWAT, &n, sizeof(n)); }

static void leave(struct ratmom_multi *m, curl_socket_t fd) {
    int32_t *at = &m->lowats;
    while (*at != fd)
        at = &m->io->fds[*at].lowat_next;
    *at = m->io->fds[fd].lowat_next;
    m->io->fds[fd].lowat = NULL;
}

/* The socket is to report all that comes. */
void ratmom_lowat_clear(struct ratmom_multi *m, curl_socket_t fd) {
    if (!m->io->fds[fd].lowat)
        return;
    leave(m, fd);
    set(fd, 1);
}

/* The socket is gone. */
void ratmom_lowat_drop(struct ratmom_multi *m, curl_socket_t fd) {
    if (m->io->fds[fd].lowat)
        leave(m, fd);
}

static void begin(struct ratmom_req *r) {
    struct ratmom_multi *m = r->multi;
    struct ratmom_fd *f = &m->io->fds[r->fd];
    if (f->lowat)
        return;
    set(r->fd, LOWAT);
    f->lowat = r;
    f->lowat_heard = ratmom_now();
    f->lowat_next = m->lowats;
    m->lowats = r->fd;
    m->lowat_sets++;
}

/* The body has come to r->lowat.at bytes. */
void ratmom_lowat_look(struct ratmom_req *r) {
    struct ratmom_lowat *l = &r->lowat;
    int64_t now = ratmom_now();
    int64_t limit = r->multi && r->multi->fast_ns ? r->multi->fast_ns : FAST_NS;
    int fast = l->since && now - l->since <= (int64_t)(l->bytes / FAST_BYTES) * limit;
    if (!l->bytes || fast)
        l->bytes = FAST_BYTES;
    l->at = r->received + l->bytes;
    l->since = now;
    if (!r->multi || r->fd < 0)
        return;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (f->gen != r->fd_gen || !f->ours || f->udp || f->local || f->users != 1)
        return;
    /* Of what goes over the wire, which may be other than what comes out. */
    curl_off_t length = -1, got = 0;
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    curl_easy_getinfo(r->easy, CURLINFO_SIZE_DOWNLOAD_T, &got);
    if (fast && length - got >= LOWAT + MARGIN + FAST_BYTES)
        begin(r);
    else
        ratmom_lowat_clear(r->multi, r->fd);
}

/* Lets go what has waited for long enough. Returns when to look again. */
int64_t ratmom_lowat_expire(struct ratmom_multi *m) {
    int64_t at = INT64_MAX;
    for (int32_t fd = m->lowats, next; fd >= 0; fd = next) {
        struct ratmom_fd *f = &m->io->fds[fd];
        next = f->lowat_next;
        if (m->now - f->lowat_heard >= WAIT_NS) {
            struct ratmom_lowat *l = &f->lowat->lowat;
            l->tries += l->tries < TRIES_MOST && !f->lowat->recv_paused;
            l->bytes = (uint64_t)FAST_BYTES << l->tries;
            l->at = f->lowat->received + l->bytes;
            l->since = 0;
            ratmom_lowat_clear(m, fd);
        } else if (f->lowat_heard + WAIT_NS < at) {
            at = f->lowat_heard + WAIT_NS;
        }
    }
    return at;
}
#else
void ratmom_lowat_look(struct ratmom_req *r) { r->lowat.at = UINT64_MAX; }
void ratmom_lowat_clear(struct ratmom_multi *m, curl_socket_t fd) {
    (void)m;
    (void)fd;
}
void ratmom_lowat_drop(struct ratmom_multi *m, curl_socket_t fd) {
    (void)m;
    (void)fd;
}
#endif
