/* The look at a socket right behind a request.
 *
 * libcurl writes a request and asks the kernel at once, before an answer can have come, whether
 * there is something to read (Curl_readwrite in lib/transfer.c; 8.14.1 no longer does). ratmom has
 * poll in the place of the C library's, as it has functions of nghttp2's (early_end.c tells how),
 * and says "nothing" itself. Should there be something all the same, it is not lost: libcurl waits
 * for it from then on, and epoll reports what is there, not what comes.
 *
 * Behind a TLS record it says "something" if it has the head of the next one (read_ahead.c),
 * without which libcurl would not read on.
 *
 * Whether a connection is still alive libcurl asks before it gives it to a transfer, and there
 * the kernel answers always: what is said here is the first look at a connection, in the same call
 * of libcurl, after a transfer has been given it. A transfer that ends before that look was heard
 * of, or could not be sent, and then libcurl closes a connection that has been used before. */
#define _GNU_SOURCE
#include "sockets.h"

#if RATMOM_BETWEEN_LIBC

#include <dlfcn.h>
#include <poll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int (*next)(struct pollfd *, nfds_t, int);

/* Not when it is first called: that may be in a signal handler. */
__attribute__((constructor)) static void find(void) { *(void **)&next = dlsym(RTLD_NEXT, "poll"); }

static int ask(struct pollfd *p, nfds_t n, int ms) {
    if (next)
        return next(p, n, ms);
    struct timespec t = {ms / 1000, ms % 1000 * 1000000l};
    return (int)syscall(SYS_ppoll, p, n, ms < 0 ? NULL : &t, NULL, (size_t)0);
}

/* The time is another now, and a socket that was empty is so no longer if there is
 * something: 7.88.1 takes an HTTP/2 connection for dead from which it then can read nothing. */
static int waited(struct ratmom_multi *m, int rc, int ms) {
    if (ms)
        ratmom_clock_begin(m);
    if (rc > 0)
        m->empty = -1;
    return rc;
}

/* Whether there is something of a connection in use that the kernel no longer has. */
static int has_ahead(const struct ratmom_multi *m, int fd) {
    return ratmom_ahead(fd) && fd < m->io->nfds && m->io->fds[fd].users;
}

__attribute__((noinline)) static int look(struct ratmom_multi *m, struct pollfd *p, nfds_t n,
                                          int ms) {
    int32_t sent = m->look.fd;
    m->look.fd = -1;
    if (n == 1 && !ms && (p->events & (POLLIN | POLLOUT)) == POLLIN && has_ahead(m, p->fd)) {
        m->look.spared++;
        p->revents = POLLIN;
        return 1;
    }
    if (n != 1 || ms || sent < 0 || p->fd != sent || m->look.heard != m->heard ||
        (p->events & (POLLIN | POLLOUT)) != POLLIN)
        return waited(m, ask(p, n, ms), ms);
    m->look.spared++;
    p->revents = 0;
    return 0;
}

/* Weak: the program may have one of its own. */
__attribute__((weak)) int poll(struct pollfd *p, nfds_t n, int ms) {
    struct ratmom_multi *m = ratmom_driving;
    return m ? look(m, p, n, ms) : ask(p, n, ms);
}

#endif

/* A call of libcurl begins. */
void ratmom_look_begin(struct ratmom_multi *m) { m->look.fd = m->empty = -1; }

/* The request has a connection, and is about to be sent. With a body libcurl asks whether it can
 * write, too. */
void ratmom_look_sent(struct ratmom_req *r) {
    struct ratmom_multi *m = r->multi;
    if (!m)
        return;
    m->look.fd =
        ratmom_version() < 0x080e01 && r->reused && r->upload_kind == RATMOM_UP_NONE ? r->fd : -1;
    m->look.heard = m->heard;
}
