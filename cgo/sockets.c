#ifdef __linux__
#define _GNU_SOURCE
#endif
#include "sockets.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#ifdef __linux__
#include <linux/tcp.h>
#endif

int ratmom_io_open(struct ratmom_multi *m) {
    m->io = calloc(1, sizeof(*m->io));
    if (!m->io)
        return -1;
    memset(m->io->bucket, 0xff, sizeof(m->io->bucket));
    return 0;
}

void ratmom_io_close(struct ratmom_multi *m) {
    if (m->io) {
        for (int32_t i = 0; i < m->io->nfds; i++)
            free(m->io->fds[i].certs.p);
        free(m->io->fds);
        free(m->io->clogged);
    }
    free(m->io);
    m->io = NULL;
}

/* The entry of fd, made if need be; NULL when there is no memory. */
struct ratmom_fd *ratmom_fd_at(struct ratmom_multi *m, curl_socket_t fd) {
    struct ratmom_io *io = m->io;
    if (fd >= io->nfds) {
        int32_t n = io->nfds ? io->nfds : 64;
        while (n <= fd)
            n *= 2;
        struct ratmom_fd *f = realloc(io->fds, (size_t)n * sizeof(*f));
        if (!f)
            return NULL;
        memset(f + io->nfds, 0, (size_t)(n - io->nfds) * sizeof(*f));
        io->fds = f;
        io->nfds = n;
    }
    return &io->fds[fd];
}

static uint64_t key_of(const char *ip, int port) {
    uint64_t h = 1469598103934665603ull ^ (uint64_t)port;
    for (; *ip; ip++)
        h = (h ^ (unsigned char)*ip) * 1099511628211ull;
    return h ? h : 1;
}

static void addr_parse(struct ratmom_addr *a, const char *ip, int port) {
    memset(a, 0, sizeof(*a));
    if (!ip || !*ip)
        return;
    if (inet_pton(AF_INET, ip, a->ip) == 1) {
        a->family = 4;
    } else {
        char plain[64]; /* without a zone */
        size_t n = strcspn(ip, "%");
        if (n >= sizeof(plain))
            return;
        memcpy(plain, ip, n);
        plain[n] = 0;
        if (inet_pton(AF_INET6, plain, a->ip) != 1)
            return;
        a->family = 6;
    }
    a->port = (uint16_t)port;
}

void ratmom_fd_opened(struct ratmom_multi *m, struct ratmom_fd *f, struct ratmom_req *r) {
    f->origin = r->origin;
    f->lane = r->lane;
    f->opener = r;
    ratmom_lane_opened(m, f);
    ratmom_shard_opened(f, r);
}

/* 7.88.1 closes a socket that never became a connection without our callback, and its
 * number may be anybody's by now: from here on it does not count. */
void ratmom_fd_unused(struct ratmom_multi *m, const struct ratmom_req *r) {
    for (uint32_t i = 0; i < r->nopened && i < 8; i++) {
        struct ratmom_fd *f = &m->io->fds[r->opened[i]];
        if (f->opener != r || f->key || f->local)
            continue;
        ratmom_lane_closed(m, f);
        ratmom_shard_closed(m, f);
        f->lane = 0;
        f->opener = NULL;
    }
}

void ratmom_fd_dead(struct ratmom_multi *m, struct ratmom_fd *f) {
    if (!f->hungup) {
        m->conns -= f->at != NULL;
        ratmom_lane_dead(m, f);
    }
    f->hungup = 1;
    ratmom_link_down(m, f);
}

/* Makes the entry that of the next socket with this number. */
struct ratmom_fd *ratmom_fd_renew(struct ratmom_multi *m, curl_socket_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    uint32_t gen = f->gen + 1;
    if (f->paused || f->mute)
        ratmom_fd_unclog(m, fd);
    ratmom_gather_drop(m, fd, 1);
    ratmom_ahead_drop(fd);
    m->empty = -1;
    ratmom_lowat_drop(m, fd);
    ratmom_link_down(m, f);
    ratmom_lane_closed(m, f);
    ratmom_shard_closed(m, f);
    free(f->certs.p);
    memset(f, 0, sizeof(*f));
    f->gen = gen;
    return f;
}

static void unlink_key(struct ratmom_io *io, int32_t fd) {
    struct ratmom_fd *f = &io->fds[fd];
    if (!f->key)
        return;
    int32_t *at = &io->bucket[f->key % RATMOM_BUCKETS];
    while (*at >= 0 && *at != fd)
        at = &io->fds[*at].next;
    if (*at == fd)
        *at = f->next;
    f->key = 0;
}

/* The user pointer is the multi's: a connection outlives the transfer that
 * opened it. */
static int closesocket(void *p, curl_socket_t fd) {
    struct ratmom_multi *m = p;
    if (fd < m->io->nfds && m->io->fds[fd].ours) {
        unlink_key(m->io, fd);
        ratmom_gather_drop(m, fd, 0);
        ratmom_fd_drop(m, fd);
        ratmom_dial_drop(m, fd);
        ratmom_fd_renew(m, fd);
    }
    return close(fd);
}

void ratmom_io_callbacks(struct ratmom_req *r) {
    curl_easy_setopt(r->easy, CURLOPT_OPENSOCKETFUNCTION, ratmom_socket_open);
    curl_easy_setopt(r->easy, CURLOPT_OPENSOCKETDATA, r);
    curl_easy_setopt(r->easy, CURLOPT_CLOSESOCKETFUNCTION, closesocket);
}

static int local_port(curl_socket_t fd) {
    struct sockaddr_storage s;
    socklen_t n = sizeof(s);
    if (getsockname(fd, (struct sockaddr *)&s, &n))
        return -1;
    if (s.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&s)->sin_port);
    if (s.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&s)->sin6_port);
    return 0;
}

static int remote_port(curl_socket_t fd) {
    struct sockaddr_storage s;
    socklen_t n = sizeof(s);
    if (getpeername(fd, (struct sockaddr *)&s, &n))
        return -1;
    return s.ss_family == AF_INET    ? ntohs(((struct sockaddr_in *)&s)->sin_port)
           : s.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&s)->sin6_port)
                                     : 0;
}

/* Makes the socket found by its key. */
void ratmom_fd_place(struct ratmom_io *io, int32_t fd, uint64_t key) {
    struct ratmom_fd *f = &io->fds[fd];
    f->key = key;
    f->next = io->bucket[key % RATMOM_BUCKETS];
    io->bucket[key % RATMOM_BUCKETS] = fd;
}

static void place(struct ratmom_io *io, int32_t fd, uint64_t key, const char *ip, int port,
                  const char *rip, int rport) {
    struct ratmom_fd *f = &io->fds[fd];
    ratmom_fd_place(io, fd, key);
    addr_parse(&f->laddr, ip, port);
    addr_parse(&f->raddr, rip, rport);
}

/* Finds the socket of the connection with this local address: one of those that
 * this request opened, or known already. The kernel gives a local port to several
 * connections with different remote ends: then the remote address decides. 7.88.1
 * names the port of the URL there, which is not the proxy's, so that it has no say
 * when there is nothing to decide. */
static int32_t find(struct ratmom_req *r, const char *ip, int port, const char *rip, int rport) {
    struct ratmom_io *io = r->multi->io;
    uint64_t key = key_of(ip, port);
    for (uint32_t i = 0; i < r->nopened && i < 8; i++) {
        int32_t fd = r->opened[i];
        struct ratmom_fd *f = &io->fds[fd];
        if (!f->ours || f->key || local_port(fd) != port)
            continue;
        place(io, fd, key, ip, port, rip, rport);
        return fd;
    }
    struct ratmom_addr remote;
    int32_t found = -1;
    int parsed = 0;
    for (int32_t i = io->bucket[key % RATMOM_BUCKETS]; i >= 0; i = io->fds[i].next) {
        if (io->fds[i].key != key)
            continue;
        if (found < 0) {
            found = i;
            continue;
        }
        if (!parsed++)
            addr_parse(&remote, rip, rport);
        struct ratmom_fd *a = &io->fds[found], *b = &io->fds[i];
        int ha = !memcmp(a->raddr.ip, remote.ip, sizeof(remote.ip)) && remote_port(found) == rport;
        int hb = !memcmp(b->raddr.ip, remote.ip, sizeof(remote.ip)) && remote_port(i) == rport;
        if (hb && !ha)
            found = i;
    }
    if (found >= 0)
        return found;
    /* One that another request opened, which has not come to its sending yet, or
     * never will: over HTTP/2 those that waited for it may be first. */
    for (int32_t fd = 0; fd < io->nfds; fd++) {
        struct ratmom_fd *f = &io->fds[fd];
        if (!f->ours || f->key || f->local || local_port(fd) != port)
            continue;
        if (found < 0 || remote_port(fd) == rport)
            found = fd;
    }
    if (found >= 0)
        place(io, found, key, ip, port, rip, rport);
    return found;
}

/* Notes which connection the request has been given. */
void ratmom_io_assign(struct ratmom_req *r, const char *lip, int lport, const char *rip,
                      int rport) {
    if (!r->multi)
        return;
    r->reused = r->nopened == 0;
    if (!lport && !r->dials) { /* a unix socket; epoll.c has assigned it unless it was that quick */
        int32_t fd = r->nopened ? r->opened[(r->nopened - 1) % 8] : -1;
        if (r->fd < 0 && fd >= 0 && r->multi->io->fds[fd].local) {
            r->fd = fd;
            r->fd_gen = r->multi->io->fds[fd].gen;
            r->multi->io->fds[fd].users++;
        }
        return;
    }
    ratmom_io_release(r);
    int32_t fd = r->dials ? ratmom_dial_find(r) : find(r, lip, lport, rip, rport);
    if (fd < 0) {
        addr_parse(&r->local, lip, lport);
        addr_parse(&r->remote, rip, rport);
        return;
    }
    struct ratmom_fd *f = &r->multi->io->fds[fd];
    int opened = 0;
    for (uint32_t i = 0; i < r->nopened && i < 8; i++)
        opened |= r->opened[i] == fd;
    r->reused = !opened;
    r->fd = fd;
    r->fd_gen = f->gen;
    f->users++;
    ratmom_lowat_clear(r->multi, fd);
    r->local = f->laddr;
    r->remote = f->raddr;
}

static void loud(struct ratmom_req *r) {
    if (r->may_resend || r->debug_on || r->loud)
        return;
    r->loud = 1;
    curl_easy_setopt(r->easy, CURLOPT_VERBOSE, 1L);
}

/* libcurl tells of a GOAWAY to whoever happens to read it. Those who share a
 * connection with a request that must not be repeated by mistake listen for it. */
void ratmom_io_listen(struct ratmom_req *r) {
    if (r->fd < 0 || !r->multi || r->wary)
        return;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (!r->may_resend) {
        if (f->wary)
            loud(r);
        return;
    }
    r->wary = 1;
    if (!f->wary++ && f->users > 1)
        for (struct ratmom_req *o = r->multi->live; o; o = o->next)
            if (o->fd == r->fd)
                loud(o);
}

void ratmom_io_release(struct ratmom_req *r) {
    ratmom_io_resumed(r);
    ratmom_tls_leave(r);
    if (r->fd >= 0 && r->multi && r->fd < r->multi->io->nfds) {
        struct ratmom_fd *f = &r->multi->io->fds[r->fd];
        if (f->gen == r->fd_gen && r->wary)
            f->wary--;
        if (f->gen == r->fd_gen)
            ratmom_lowat_clear(r->multi, r->fd);
        ratmom_head_leave(r);
        /* A response that came at once may have been read without ever waiting
         * for the socket: as an idle connection it must be watched all the same. */
        if (f->gen == r->fd_gen && f->users && !--f->users)
            ratmom_fd_watch(r->multi, r->fd);
    }
    r->wary = 0;
    r->fd = -1;
}

/* Whether a transfer runs on a unix socket that is not known: one that took a
 * connection over and paused before libcurl said anything of its socket. */
int ratmom_io_unplaced(struct ratmom_multi *m) {
    for (struct ratmom_req *r = m->live; r; r = r->next)
        if (r->prereqs && r->fd < 0 && !r->local.family)
            return 1;
    return 0;
}

void ratmom_io_http2(struct ratmom_req *r) {
    if (r->fd < 0 || !r->multi)
        return;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (f->gen != r->fd_gen || f->http2)
        return;
    char *scheme = NULL;
    curl_easy_getinfo(r->easy, CURLINFO_SCHEME, &scheme);
    f->http2 = 1;
    f->tls = scheme && !strcasecmp(scheme, "https");
}

/* libcurl gives the request to nghttp2: its connection is known for what it is before the
 * first answer. */
void ratmom_io_speaks_http2(CURL *easy) {
    struct ratmom_req *r = NULL;
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r);
    if (r)
        ratmom_io_http2(r);
}

#define TLS_RECORD 16384
#define FRAME_HEAD 9

/* How much of n bytes of a body to give libcurl at once. It makes frames of 16 KiB, and
 * with its head such a frame takes two TLS records, each with a write of its own. */
size_t ratmom_io_piece(struct ratmom_req *r, size_t n) {
    if (n <= TLS_RECORD - FRAME_HEAD || r->fd < 0 || !r->multi)
        return n;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    return f->http2 && f->tls && f->gen == r->fd_gen ? TLS_RECORD - FRAME_HEAD : n;
}

/* Whether r was given a connection that we have shut down: 7.88.1 takes an HTTP/2
 * connection whose end it reads for alive. Nothing can be sent there. */
int ratmom_io_hungup(struct ratmom_req *r) {
    if (r->fd < 0 || !r->multi)
        return 0;
    const struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    return f->hungup || f->out_error;
}

/* How many bytes have been read from a connection. Where that is not known, a negative
 * number that changes when what is there to read does, or may have. */
int64_t ratmom_fd_taken(curl_socket_t fd) {
    int unread;
    if (fd < 0 || ioctl(fd, FIONREAD, &unread))
        return -1;
#ifdef __linux__
    static int64_t unsure = INT32_MIN;
    struct tcp_info ti;
    /* What comes between two questions would count as read: ask until nothing has. */
    for (int i = 0, before; i < 64; i++) {
        socklen_t n = sizeof(ti);
        memset(&ti, 0, sizeof(ti));
        before = unread;
        if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &n) || ioctl(fd, FIONREAD, &unread))
            return -1 - (int64_t)unread;
        if (unread == before)
            return (int64_t)ti.tcpi_bytes_received - unread;
    }
    return __atomic_sub_fetch(&unsure, 1, __ATOMIC_RELAXED);
#else
    return -1 - (int64_t)unread;
#endif
}

/* Whether the other end acknowledges nothing any more of what was sent: it was sent three
 * times, after pauses that double. */
int ratmom_fd_unheard(curl_socket_t fd) {
#ifdef __linux__
    struct tcp_info ti;
    socklen_t n = sizeof(ti);
    memset(&ti, 0, sizeof(ti));
    return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &n) && ti.tcpi_unacked &&
           ti.tcpi_retransmits >= 2;
#else
    (void)fd;
    return 0;
#endif
}

/* Whether nothing has come for so long. */
int ratmom_fd_silent(curl_socket_t fd, long seconds) {
#ifdef __linux__
    struct tcp_info ti;
    socklen_t n = sizeof(ti);
    memset(&ti, 0, sizeof(ti));
    return !getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &n) &&
           ti.tcpi_last_data_recv + 100ll >= seconds * 1000ll; /* its clock is a coarse one */
#else
    (void)fd;
    (void)seconds;
    return 0;
#endif
}

int ratmom_io_udp(struct ratmom_req *r) {
    return r->fd >= 0 && r->multi && r->multi->io->fds[r->fd].udp;
}

void ratmom_fd_hangup(struct ratmom_multi *m, curl_socket_t fd) {
    if (!m->io->fds[fd].udp) {
        ratmom_dial_drop(m, fd);
        ratmom_gather_drop(m, fd, 0);
        shutdown(fd, SHUT_RDWR);
        /* Before 8.0.0 libcurl takes a connection for alive while bytes of it are left to
         * read, and would send the next request there: so those are thrown away. */
        char waste[16 << 10];
        for (int i = 0; i < 64 && recv(fd, waste, sizeof waste, MSG_DONTWAIT) > 0; i++)
            ;
        ratmom_fd_dead(m, &m->io->fds[fd]);
    }
    ratmom_fd_drop(m, fd);
}

/* Whether the other side has ended a connection behind bytes that are still to be read:
 * TLS says by some that it ends, and they look like any other record. */
int ratmom_fd_ended(curl_socket_t fd) {
#ifndef POLLRDHUP
#define POLLRDHUP 0 /* the others set POLLHUP for it */
#endif
    struct pollfd p = {.fd = fd, .events = POLLIN | POLLRDHUP};
    return poll(&p, 1, 0) == 1 && (p.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

/* Shuts down every connection that no transfer uses; libcurl finds them dead
 * and closes them at its next look. */
int ratmom_close_idle(struct ratmom_multi *m) {
    int n = 0;
    for (int32_t fd = 0; fd < m->io->nfds; fd++) {
        struct ratmom_fd *f = &m->io->fds[fd];
        if (!ratmom_fd_idle(m, f))
            continue;
        ratmom_fd_hangup(m, fd);
        n++;
    }
    ratmom_lanes_bury(m);
    return n;
}
