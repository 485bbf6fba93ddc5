/* Connections that Go makes (config.DialContext). libcurl asks for a socket only when it
 * needs a connection, and takes it for connected at once; it gets one end of a
 * socketpair that is full already, so that not a byte leaves it. When the connection is
 * there, its socket takes the number over, and libcurl goes on, none the wiser: it knows
 * no more of a socket than its number. Until then its limits and queues hold as for a
 * connection of its own. */
#ifdef __linux__
#define _GNU_SOURCE
#endif
#include "sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define INFO_CONN_ID ((CURLINFO)(CURLINFO_OFF_T + 64)) /* 8.2.0 */

#ifdef MSG_NOSIGNAL
#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)
#else
#define SEND_FLAGS MSG_DONTWAIT
#endif

static int connected(void *user, curl_socket_t fd, curlsocktype purpose) {
    (void)user;
    (void)fd;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED;
}

void ratmom_dial_use(struct ratmom_req *r) {
    r->dials = 1;
    curl_easy_setopt(r->easy, CURLOPT_SOCKOPTFUNCTION, connected);
}

/* A socketpair whose first end takes nothing more. */
static int plugged(int fds[2]) {
    static const char junk[4096];
    int least = 1;
    if (ratmom_pair_open(fds))
        return -1;
    setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &least, sizeof(least));
    for (size_t n = sizeof(junk); n;)
        if (send(fds[0], junk, n, SEND_FLAGS) <= 0 && errno != EINTR)
            n /= 2;
    return 0;
}

/* Names a connection: its address says nothing, and libcurl's number is unique in its
 * pool alone. */
static uint64_t key_of(struct ratmom_req *r) {
    curl_off_t id = -1;
    curl_easy_getinfo(r->easy, INFO_CONN_ID, &id);
    uint64_t h = 1469598103934665603ull ^ (uint64_t)id;
    h = (h * 1099511628211ull ^ r->lane) * 1099511628211ull;
    return h ? h : 1;
}

curl_socket_t ratmom_dial_open(struct ratmom_req *r) {
    struct ratmom_multi *m = r->multi;
    int fds[2];
    if (!m || plugged(fds))
        return CURL_SOCKET_BAD;
    if (!ratmom_fd_at(m, fds[0])) {
        close(fds[0]);
        close(fds[1]);
        return CURL_SOCKET_BAD;
    }
    struct ratmom_fd *f = ratmom_fd_renew(m, fds[0]);
    m->starts++;
    f->ours = 1;
    ratmom_fd_opened(m, f, r);
    f->plug = fds[1];
    f->dial = ++m->dial_id;
    f->next = -1;
    f->name = key_of(r);
    r->opened[r->nopened++ % 8] = fds[0];
    r->dial_fd = fds[0];
    r->dial_id = f->dial;
    ratmom_mark(r, RATMOM_EV_DIAL);
    return fds[0];
}

/* The socket of r's connection; -1: not known. */
int32_t ratmom_dial_find(struct ratmom_req *r) {
    struct ratmom_io *io = r->multi->io;
    uint64_t key = key_of(r);
    for (int32_t fd = io->bucket[key % RATMOM_BUCKETS]; fd >= 0; fd = io->fds[fd].next)
        if (io->fds[fd].key == key)
            return fd;
    /* The first request on it. Without a key it is not taken for idle before that. */
    int32_t fd = r->nopened ? r->opened[(r->nopened - 1) % 8] : 0;
    if (!io->fds[fd].ours || io->fds[fd].name != key)
        for (fd = 0; fd < io->nfds && !(io->fds[fd].ours && io->fds[fd].name == key);)
            fd++;
    if (fd >= io->nfds)
        return -1;
    ratmom_fd_place(io, fd, key);
    return fd;
}

int ratmom_dial_waits(const struct ratmom_req *r) {
    return r->dial_id || (r->fd >= 0 && r->multi && r->multi->io->fds[r->fd].dial);
}

/* The connection is not wanted any more. */
void ratmom_dial_drop(struct ratmom_multi *m, curl_socket_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    if (!f->dial)
        return;
    if (m->ngiven_up == m->cap_given_up) {
        uint32_t cap = m->cap_given_up ? m->cap_given_up * 2 : 16;
        uint64_t *list = realloc(m->given_up, cap * sizeof(*list));
        if (!list)
            abort(); /* as in ratmom_mark */
        m->given_up = list;
        m->cap_given_up = cap;
    }
    m->given_up[m->ngiven_up++] = f->dial;
    close(f->plug);
    f->dial = 0;
}

/* Puts the socket from in the place of the number fd. */
static int take_over(int from, int fd) {
    int rc;
    do {
#ifdef __linux__
        rc = dup3(from, fd, O_CLOEXEC);
#else
        rc = dup2(from, fd);
        if (rc >= 0)
            fcntl(fd, F_SETFD, FD_CLOEXEC);
#endif
    } while (rc < 0 && (errno == EINTR || errno == EBUSY));
    return rc;
}

int ratmom_dial_done(struct ratmom_multi *m, int32_t at, uint64_t id, int32_t fd,
                     const struct ratmom_addr *local, const struct ratmom_addr *remote) {
    struct ratmom_fd *f = at < m->io->nfds ? &m->io->fds[at] : NULL;
    if (!f || f->dial != id) {
        close(fd);
        return 0;
    }
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    ratmom_fd_drop(m, at);
    take_over(fd, at);
    close(fd);
    close(f->plug);
    f->dial = 0;
    f->dialled = id;
    f->laddr = *local;
    f->raddr = *remote;
    int64_t now = ratmom_now();
    for (struct ratmom_req *r = m->live, *next; r; r = next) {
        next = r->next;
        if (r->dial_id == id)
            r->dial_id = 0;
        else if (r->fd != at)
            continue;
        if (r->fd == at) {
            r->local = *local;
            r->remote = *remote;
            if (r->t_sent || r->upload_kind == RATMOM_UP_NONE)
                r->t_sent = now;
        }
        if (r->held) {
            r->held = 0;
            ratmom_finish(m, r, CURLE_OK);
        }
    }
    ratmom_fd_swapped(m, at);
    return 1;
}

/* Writes a byte that nobody will read. */
void ratmom_dial_poke(struct ratmom_multi *m, int32_t at, uint64_t id) {
    if (at < m->io->nfds && m->io->fds[at].dialled == id)
        (void)!send(at, "", 1, SEND_FLAGS);
}

/* libcurl itself ends the connection and all who wait for it, so that whoever waits for
 * them in turn goes on. */
void ratmom_dial_failed(struct ratmom_multi *m, int32_t at, uint64_t id) {
    struct ratmom_fd *f = at < m->io->nfds ? &m->io->fds[at] : NULL;
    if (!f || f->dial != id)
        return;
    close(f->plug);
    f->dial = 0;
}

int ratmom_dial_users(const struct ratmom_multi *m, int32_t at, uint64_t id) {
    const struct ratmom_fd *f = at < m->io->nfds ? &m->io->fds[at] : NULL;
    return f && f->dial == id ? (int)f->users : -1;
}

static curl_socket_t probe_open(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
    int fds[2], *other = user;
    (void)purpose;
    (void)a;
    if (*other >= 0 || ratmom_pair_open(fds))
        return CURL_SOCKET_BAD;
    *other = fds[1];
    return fds[0];
}

/* Before 8.0.0 libcurl connects the socket all the same. */
int ratmom_dial_probe(void) {
    int other = -1;
    curl_off_t id = -1;
    CURL *e = curl_easy_init();
    if (!e)
        return 0;
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, "");
    curl_easy_setopt(e, CURLOPT_URL, "http://localhost/");
    curl_easy_setopt(e, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, probe_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, &other);
    curl_easy_setopt(e, CURLOPT_SOCKOPTFUNCTION, connected);
    int ok = !curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, "/") && !curl_easy_perform(e) &&
             !curl_easy_getinfo(e, INFO_CONN_ID, &id) && id >= 0;
    curl_easy_cleanup(e);
    if (other >= 0)
        close(other);
    return ok;
}
