/* Requests that begin in one turn on one HTTP/2 connection, in few packets.
 *
 * libcurl sends each by itself, and each packet costs both ends and the server a pass
 * through the network stack. Once one has been sent, and others are still to be added,
 * the socket is corked: what is written gathers in it until it is a full packet or the
 * cork is out. */
#include "sockets.h"

#if defined(__linux__) && !defined(RATMOM_POLL)
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#define CORK_MIN 4   /* so many are to be added yet, or it is not worth two system calls */
#define CORK_MOST 16 /* so many are added behind the last cork before all are out */

static void cork(curl_socket_t fd, int on) {
    setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* Called when the n transfers that were added last have been run, and before any of them
 * is over for Go. */
void ratmom_cork(struct ratmom_multi *m, struct ratmom_req *const *last, int n) {
    struct ratmom_corks *c = &m->corks;
    if (c->n && (c->since += n) >= CORK_MOST)
        ratmom_uncork(m);
    if ((uint32_t)(m->nadds - m->added) + ratmom_crowd_going(m) < CORK_MIN)
        return;
    for (int i = 0; i < n && c->n < RATMOM_CORKS; i++) {
        const struct ratmom_req *r = last[i];
        if (!r->in_multi || r->fd < 0)
            continue;
        struct ratmom_fd *f = &m->io->fds[r->fd];
        if (f->gen != r->fd_gen || !f->http2 || f->corked || f->local)
            continue;
        cork(r->fd, 1);
        f->corked = 1;
        c->fd[c->n++] = r->fd;
        c->since = 0;
    }
}

void ratmom_uncork(struct ratmom_multi *m) {
    struct ratmom_corks *c = &m->corks;
    while (c->n) {
        struct ratmom_fd *f = &m->io->fds[c->fd[--c->n]];
        if (f->corked) /* else another socket has the number now */
            cork(c->fd[c->n], 0);
        f->corked = 0;
    }
}
#else
void ratmom_cork(struct ratmom_multi *m, struct ratmom_req *const *last, int n) {
    (void)m;
    (void)last;
    (void)n;
}
void ratmom_uncork(struct ratmom_multi *m) { (void)m; }
#endif
