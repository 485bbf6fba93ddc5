/* Waiting, everywhere else: curl_multi_poll, which blocks its thread. */
#ifdef RATMOM_POLL
#include "sockets.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

int ratmom_wait_open(struct ratmom_multi *m) {
    m->epfd = m->evfd = m->tmfd = -1;
    return 0;
}

void ratmom_wait_close(struct ratmom_multi *m) { (void)m; }

void ratmom_fd_watch(struct ratmom_multi *m, curl_socket_t fd) {
    (void)m;
    (void)fd;
}

void ratmom_fd_drop(struct ratmom_multi *m, curl_socket_t fd) {
    (void)m;
    (void)fd;
}

void ratmom_fd_relay(struct ratmom_multi *m, curl_socket_t fd, unsigned events) {
    m->io->fds[fd].want = events & (RATMOM_FD_IN | RATMOM_FD_OUT);
}

void ratmom_fd_swapped(struct ratmom_multi *m, curl_socket_t fd) {
    (void)m;
    (void)fd;
}

/* Whether no transfer is on the socket: it is known by its port, or, on a unix
 * socket, by there being no transfer at all. */
int ratmom_fd_idle(struct ratmom_multi *m, struct ratmom_fd *f) {
    return f->ours && !f->users && !f->udp && !f->relay && !f->dial &&
           (f->key || (f->local && !m->nlive));
}

/* An idle connection that the server has closed, or has sent something on that is
 * the answer to nothing, is ended before libcurl can use it again. */
static void look_at_idle(struct ratmom_multi *m) {
    char c;
    for (int32_t fd = 0; fd < m->io->nfds; fd++) {
        struct ratmom_fd *f = &m->io->fds[fd];
        if (!ratmom_fd_idle(m, f) || f->removed)
            continue;
        ssize_t n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n > 0 && f->http2 && !ratmom_fd_ended(fd))
            continue; /* a PING or SETTINGS: libcurl reads it at the next use */
        f->removed = 1;
        ratmom_fd_hangup(m, fd);
    }
}

void ratmom_wait_begin(struct ratmom_multi *m) {
    m->now = ratmom_now();
    m->nready = 0;
    look_at_idle(m);
}

int ratmom_wait_serve(struct ratmom_multi *m) {
    (void)m;
    return 0;
}

/* Moves the bytes of every tunnel that libcurl moves bytes for. */
static void relay(struct ratmom_multi *m) {
    for (int32_t fd = 0; m->ntunnels && fd < m->io->nfds; fd++) {
        struct ratmom_fd *f = &m->io->fds[fd];
        if (!f->relay || f->ours)
            continue;
        ratmom_relay_run(m, f->relay, ratmom_relay_gone(f->relay));
    }
}

/* Runs every transfer, whether for its socket or for its timer; tells whether one was
 * started, as far as that can be seen. When one is, libcurl forgets that those before it
 * in its list are to be run at once, such as one whose bytes another has just read. */
static int perform(struct ratmom_multi *m, int *running) {
    uint32_t starts = m->starts;
    ratmom_driving = m;
    CURLMcode rc = curl_multi_perform(m->m, running);
    ratmom_driving = NULL;
    if (rc)
        m->multi_code = rc;
    return m->starts != starts;
}

void ratmom_wait_expire(struct ratmom_multi *m) {
    int running;
    if (perform(m, &running) || m->added)
        perform(m, &running);
    if (m->nfirst)
        ratmom_tls_heard_all(m);
    relay(m);
}

/* A transfer that has waited for a connection may be started and wait again, and nothing
 * shows that but the end of another one, in this round or the last. */
int ratmom_wait_settled(struct ratmom_multi *m) {
    int before, running;
    if (perform(m, &before))
        return 0;
    for (int i = 0; i < 2; i++, before = running)
        if (perform(m, &running) || running != before)
            return 0;
    return 1;
}

/* Whichever transfer of the connection comes first then reads. */
void ratmom_wait_kick(struct ratmom_multi *m, struct ratmom_req *r) {
    int running;
    ratmom_toggle(r, CURLPAUSE_SEND);
    perform(m, &running);
}

void ratmom_wait_end(struct ratmom_multi *m, int park) {
    (void)m;
    (void)park;
}

void ratmom_poll_wait(struct ratmom_multi *m) {
    int64_t ms = 1000, now = ratmom_now();
    if (m->unended)
        return;
    if (m->go_deadline != INT64_MAX)
        ms = m->go_deadline <= now ? 0 : (m->go_deadline - now + 999999) / 1000000;
    if (ms > 1000)
        ms = 1000;
    /* The sockets of relays are not libcurl's to wait for. */
    struct curl_waitfd *fds = m->ntunnels ? calloc(2 * m->ntunnels, sizeof(*fds)) : NULL;
    unsigned n = 0;
    for (int32_t fd = 0; fds && fd < m->io->nfds && n < 2 * m->ntunnels; fd++) {
        struct ratmom_fd *f = &m->io->fds[fd];
        if (!f->relay || !f->want)
            continue;
        fds[n].fd = fd;
        fds[n++].events = (f->want & RATMOM_FD_IN ? CURL_WAIT_POLLIN : 0) |
                          (f->want & RATMOM_FD_OUT ? CURL_WAIT_POLLOUT : 0);
    }
    curl_multi_poll(m->m, fds, n, (int)ms, NULL);
    free(fds);
}

void ratmom_poll_wake(struct ratmom_multi *m) { curl_multi_wakeup(m->m); }
#endif
