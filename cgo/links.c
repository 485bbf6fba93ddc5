/* Links: connections that are things of their own. libcurl looks for a connection in
 * the pool of whoever runs; a link is a pool, a CURLSH that shares nothing else, in
 * which there is one connection. The first transfer makes it, the others may
 * use it and must not make another: what cannot ride on that very connection fails
 * before a byte of it is sent, and Go chooses anew. */
#include "sockets.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#ifdef __linux__
#include <linux/tcp.h>
#include <netinet/in.h>
#endif

/* A link to the host and port of its requests, or, with to, to that one: in the form of
 * CURLOPT_CONNECT_TO. */
struct ratmom_link *ratmom_link_new(const char *to, int named) {
    struct ratmom_link *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    ratmom_count_link(1);
    l->fd = -1;
    l->named = named != 0;
    if (*to && !(l->to = curl_slist_append(NULL, to)))
        goto fail;
    if (!(l->share = curl_share_init()) ||
        curl_share_setopt(l->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT))
        goto fail;
    return l;
fail:
    ratmom_link_free(l);
    return NULL;
}

/* Nobody uses it, nor has any agent heard of it. */
void ratmom_link_free(struct ratmom_link *l) {
    if (l->share)
        curl_share_cleanup(l->share);
    curl_slist_free_all(l->to);
    free(l);
    ratmom_count_link(-1);
}

static void mark(struct ratmom_multi *m, struct ratmom_link *l, uint32_t ev) {
    if (!l->events) {
        l->next_event = m->link_events;
        m->link_events = l;
    }
    l->events |= ev;
}

static void unmark(struct ratmom_multi *m, struct ratmom_link *l) {
    for (struct ratmom_link **p = &m->link_events; l->events && *p; p = &(*p)->next_event) {
        if (*p == l) {
            *p = l->next_event;
            break;
        }
    }
    l->events = 0;
}

/* The link whose events are to be looked at, NULL if there is none. */
struct ratmom_link *ratmom_link_event(struct ratmom_multi *m, uint32_t *events) {
    struct ratmom_link *l = m->link_events;
    if (!l)
        return NULL;
    m->link_events = l->next_event;
    *events = l->events;
    l->events = 0;
    return l;
}

/* Its socket is not its any more. */
static void detach(struct ratmom_multi *m, struct ratmom_link *l) {
    if (l->fd >= 0 && m->io->fds[l->fd].link == l)
        m->io->fds[l->fd].link = NULL;
    l->fd = -1;
}

static void destroy(struct ratmom_multi *m, struct ratmom_link *l) {
    detach(m, l);
    unmark(m, l);
    if (!ratmom_share_close(m, l->share))
        l->share = NULL;
    ratmom_link_free(l);
}

/* Closes the connection, once no transfer uses it or is about to. Go knows the link no
 * more, whose slot may be another's: nothing is told of it. */
void ratmom_link_close(struct ratmom_multi *m, struct ratmom_link *l) {
    l->closing = 1;
    unmark(m, l);
    if (!l->users)
        destroy(m, l);
}

/* Has r, which is about to be added, run on its link. */
int ratmom_link_enter(struct ratmom_req *r) {
    struct ratmom_link *l = r->link;
    if (curl_easy_setopt(r->easy, CURLOPT_SHARE, l->share))
        return -1;
    return l->to && curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, l->to) ? -1 : 0;
}

/* The easy handle, which is out of the multi, forgets its link. */
void ratmom_link_leave(struct ratmom_multi *m, struct ratmom_req *r) {
    struct ratmom_link *l = r->link;
    if (!l)
        return;
    curl_easy_setopt(r->easy, CURLOPT_SHARE, NULL);
    if (l->to)
        curl_easy_setopt(r->easy, CURLOPT_CONNECT_TO, NULL);
    r->link = NULL;
    if (!--l->users && l->closing)
        destroy(m, l);
}

static uint32_t round_trip(curl_socket_t fd) {
#ifdef __linux__
    struct tcp_info ti;
    socklen_t n = sizeof(ti);
    memset(&ti, 0, sizeof(ti));
    if (!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &n))
        return ti.tcpi_rtt;
#else
    (void)fd;
#endif
    return 0;
}

/* Before r is sent: notes the link's connection, which may be new. */
static void meet(struct ratmom_req *r) {
    struct ratmom_multi *m = r->multi;
    struct ratmom_link *l = r->link;
    if (r->fd < 0 || l->closing)
        return;
    struct ratmom_fd *f = &m->io->fds[r->fd];
    if (f->link == l)
        return;
    detach(m, l);
    l->fd = r->fd;
    l->local = r->local;
    l->remote = r->remote;
    l->rtt = round_trip(r->fd);
    f->link = l;
    mark(m, l, RATMOM_LINK_UP);
}

/* The socket is closed or has been shut down. */
void ratmom_link_down(struct ratmom_multi *m, struct ratmom_fd *f) {
    struct ratmom_link *l = f->link;
    if (!l)
        return;
    f->link = NULL;
    l->fd = -1;
    if (!l->closing)
        mark(m, l, RATMOM_LINK_DOWN);
}

/* Whether there is something to read where nothing was asked for: the server has closed
 * the connection, or will be misunderstood. */
static int unsolicited(struct ratmom_req *r) {
    struct ratmom_fd *f = r->fd >= 0 ? &r->multi->io->fds[r->fd] : NULL;
    if (!f || !r->reused || f->http2 || f->udp)
        return 0;
    struct pollfd p = {.fd = r->fd, .events = POLLIN};
    return poll(&p, 1, 0) > 0;
}

/* The last moment before r is sent over its connection for the first time: 0, or why it
 * must not be. From here on it cannot be taken back. */
uint32_t ratmom_commit(struct ratmom_req *r) {
    uint32_t none = 0;
    if (r->link && r->multi) {
        meet(r);
        if (unsolicited(r)) {
            ratmom_fd_hangup(r->multi, r->fd);
            return RATMOM_CAUSE_HUNG_UP;
        }
    }
    if (!__atomic_compare_exchange_n(&r->commit, &none, RATMOM_COMMITTED, 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
        return RATMOM_CAUSE_REVOKED;
    return 0;
}
