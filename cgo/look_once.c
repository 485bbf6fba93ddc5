/* What libcurl asks the kernel about a socket and can be told without it.
 *
 * libcurl writes a request and asks the kernel at once, before an answer can have come, whether
 * there is something to read (Curl_readwrite in lib/transfer.c; 8.14.1 no longer does). ratmom has
 * poll in the place of the C library's, as it has functions of nghttp2's (early_end.c tells how),
 * and says "nothing" itself. Should there be something all the same, it is not lost: libcurl waits
 * for it from then on, and epoll reports what is there, not what comes.
 *
 * That is the first look at a connection, in the same call of libcurl, after a transfer has been
 * given it. A transfer that ends before that look was heard of, or could not be sent, and then
 * libcurl closes a connection that has been used before.
 *
 * Behind a TLS record it is told "something" if we have the head of the next one (read_ahead.c),
 * without which it would not read on.
 *
 * Whether a connection that nobody uses is still alive libcurl asks before it gives it to a
 * transfer. If epoll has had nothing of it in this step, it was alive when the step began. That is
 * a little earlier, and a request that finds it dead after all is sent again, on another: so the
 * kernel is asked all the same while there is a transfer whose request must not be sent twice. */
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

int ratmom_alive(const struct ratmom_multi *m, int fd) {
    const struct ratmom_fd *f = &m->io->fds[fd];
    return !m->look.once && !f->users && !f->local && !f->hungup && !f->out && !f->out_error &&
           !ratmom_ahead(fd) && ratmom_fd_quiet(m, fd);
}

/* Whether there is something to read, as far as that is known: 1, 0, or -1. sent is the socket
 * behind whose request libcurl has not looked. */
static int known(const struct ratmom_multi *m, int fd, int32_t sent) {
    if (fd < 0 || fd >= m->io->nfds || !m->io->fds[fd].ours)
        return -1;
    if (!m->io->fds[fd].users)
        return ratmom_alive(m, fd) ? 0 : -1;
    if (ratmom_ahead(fd))
        return 1;
    return fd == sent && m->look.heard == m->heard ? 0 : -1;
}

__attribute__((noinline)) static int look(struct ratmom_multi *m, struct pollfd *p, nfds_t n,
                                          int ms) {
    int32_t sent = m->look.fd;
    int is = -1;
    m->look.fd = -1;
    if (n == 1 && !ms && (p->events & (POLLIN | POLLOUT)) == POLLIN)
        is = known(m, p->fd, sent);
    if (is < 0)
        return waited(m, ask(p, n, ms), ms);
    m->look.spared++;
    p->revents = is ? POLLIN : 0;
    return is;
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
