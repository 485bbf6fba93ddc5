/* What libcurl writes to a connection piece by piece, in few calls of the kernel.
 *
 * Over HTTP/2 libcurl sends each request by itself, and of a body each frame of 16 KiB. A body
 * over TLS is sent record by record, which have 16 KiB, too. Each call is a pass through the
 * network stack that wakes the other side. So ratmom, which stands between libcurl and the C
 * library here as it does between libcurl and nghttp2 (early_end.c tells how), keeps such pieces
 * until the loop is done with the socket, or all that begin in one turn have written their
 * requests, and sends them then.
 *
 * It is as if the kernel's own buffer were larger: what is refused in the end is told with the next
 * sending. What the kernel does not take at once stays here, and until it has, the loop does not
 * tell libcurl that it may write. What it sends all the same, such as the next request, goes behind
 * it: 7.88.1 loses a frame of a body if it is told to wait where several are sent at once, and
 * where it had to wait with a small frame it gives OpenSSL another piece of memory for the next
 * try, which OpenSSL refuses for good and libcurl takes for "wait" again, for ever. So all calls in
 * which libcurl may send are between ratmom_gather_begin and ratmom_gather_end, and a small frame
 * for which there is no room is the end of its connection. */
#define _GNU_SOURCE
#include "sockets.h"

#if RATMOM_BETWEEN_LIBC
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOM (128 << 10)    /* of a connection, while it has anything here */
#define MOST (8 * ROOM)     /* while the kernel takes nothing */
#define LARGE (MOST - ROOM) /* of it for what can wait as well: the rest is for small frames */
#define FULL (ROOM - PIECE) /* so much is sent before more is asked for */
#define PIECE (20 << 10)    /* more than a TLS record; what is longer goes by itself */
#define WORTH (8 << 10)     /* what is shorter does so, too, unless it is a part of HTTP/2 */
#define HOLD_MIN 4          /* so many are to begin yet, or what is there is sent */
#define HOLD_MOST 16        /* and at the latest when so many have begun since */

struct ratmom_out {
    struct ratmom_out *next; /* of the multi */
    int fd;
    int error; /* for which it cannot be sent */
    uint32_t at, n, cap;
    char *data;
};

static ssize_t (*kernel_send)(int, const void *, size_t, int);
static RATMOM_THREAD struct ratmom_multi *sending; /* whose call of libcurl this is */

__attribute__((constructor)) static void find(void) {
    *(void **)&kernel_send = dlsym(RTLD_NEXT, "send");
}

static ssize_t send_now(int fd, const void *p, size_t n, int flags) {
    if (!kernel_send) /* linked statically, or very early */
        return syscall(SYS_sendto, fd, p, n, flags, NULL, 0);
    return kernel_send(fd, p, n, flags);
}

/* Not of malloc, which would keep holes of that size in the arenas of all threads. */
static void *pages(size_t n) {
    return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static struct ratmom_out *out_new(struct ratmom_multi *m, int fd) {
    struct ratmom_out *o = m->out_spare;
    m->out_spare = NULL;
    if (!o) {
        if (!(o = malloc(sizeof(*o))))
            return NULL;
        if ((o->data = pages(ROOM)) == MAP_FAILED) {
            free(o);
            return NULL;
        }
        o->cap = ROOM;
    }
    o->fd = fd;
    o->at = o->n = 0;
    o->error = 0;
    o->next = m->outs;
    m->outs = o;
    return m->io->fds[fd].out = o;
}

static void discard(struct ratmom_out *o) {
    if (o)
        munmap(o->data, o->cap);
    free(o);
}

static void out_free(struct ratmom_multi *m, struct ratmom_out *o) {
    struct ratmom_out **p = &m->outs;
    while (*p != o)
        p = &(*p)->next;
    *p = o->next;
    m->io->fds[o->fd].out = NULL;
    m->io->fds[o->fd].out_waits = 0;
    if (m->out_spare || o->cap > ROOM)
        discard(o);
    else
        m->out_spare = o;
}

/* Sends as much as the kernel takes. Returns whether nothing is left, because all was taken or, -1,
 * the connection is broken. */
static int push(struct ratmom_out *o) {
    while (o->at < o->n && !o->error) {
        ssize_t n = send_now(o->fd, o->data + o->at, o->n - o->at, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n > 0)
            o->at += (uint32_t)n;
        else if (n == 0 || errno == EAGAIN || errno == EWOULDBLOCK)
            return 0;
        else if (errno != EINTR)
            o->error = errno;
    }
    return o->error ? -1 : 1;
}

/* How much of a body is got ready at once. */
static uint32_t fill(const struct ratmom_fd *f) { return f->out_fill ? f->out_fill : 2 * PIECE; }

/* The same, and has the loop wait for the kernel, or be rid of o. */
static int flush(struct ratmom_multi *m, struct ratmom_out *o) {
    struct ratmom_fd *f = &m->io->fds[o->fd];
    uint32_t before = o->at;
    int fd = o->fd, waited = f->out_waits, done = push(o);
    m->sends++;
    if (done) {
        if (!waited)
            f->out_fill = fill(f) > FULL / 2 ? FULL : 2 * fill(f);
        if (done < 0) {
            /* It may be for want of memory, too: half a request is on its way then. */
            f->out_error = o->error;
            shutdown(fd, SHUT_RDWR);
        }
        out_free(m, o);
        if (waited)
            ratmom_fd_rewait(m, fd);
        return 1;
    }
    /* No more than it takes is got ready for it: libcurl takes what is here for sent, and would
     * see nothing of a slow way's progress (CURLOPT_LOW_SPEED_TIME). */
    f->out_fill = o->at - before < PIECE ? PIECE : o->at - before > FULL ? FULL : o->at - before;
    if (!waited) {
        f->out_waits = 1;
        m->blocked++;
        ratmom_fd_rewait(m, fd);
    }
    return 0;
}

/* Sends all that is here, unless the kernel has not taken what was sent before. */
static void flush_all(struct ratmom_multi *m) {
    m->out_since = 0;
    for (struct ratmom_out *o = m->outs, *next; o; o = next) {
        next = o->next;
        if (!m->io->fds[o->fd].out_waits)
            flush(m, o);
    }
}

/* libcurl is called. Returns what is to be given to ratmom_gather_end: such a call may be made in
 * another one's callback. */
struct ratmom_multi *ratmom_gather_begin(struct ratmom_multi *m) {
    struct ratmom_multi *outer = sending;
    sending = m;
    return outer;
}

/* It has come back. */
void ratmom_gather_end(struct ratmom_multi *m, struct ratmom_multi *outer) {
    sending = outer;
    if (!outer && !m->out_hold)
        flush_all(m);
}

/* n transfers are about to be run for the first time. Others will be right after them: what they
 * write can wait for each other. */
void ratmom_gather_hold(struct ratmom_multi *m, int n) {
    m->out_hold = (uint32_t)(m->nadds - m->added) + ratmom_crowd_going(m) >= HOLD_MIN;
    if (m->outs && (m->out_since += n) >= HOLD_MOST)
        flush_all(m);
}

void ratmom_gather_release(struct ratmom_multi *m) {
    m->out_hold = 0;
    if (m->outs)
        flush_all(m);
}

/* Whether libcurl, which wanted to write to the socket, has done so since there were *had bytes,
 * and may have more of it. */
int ratmom_gather_more(struct ratmom_multi *m, int32_t fd, uint32_t *had) {
    const struct ratmom_fd *f = &m->io->fds[fd];
    const struct ratmom_out *o = f->out;
    if (!o || f->out_waits || o->n <= *had || o->n >= fill(f))
        return 0;
    *had = o->n;
    return 1;
}

/* The kernel may take more of what waits for it. Returns whether nothing does any longer. */
int ratmom_gather_resume(struct ratmom_multi *m, int32_t fd) {
    return flush(m, m->io->fds[fd].out);
}

/* The socket is to be closed, or has been. What the kernel does not take now is lost, which
 * it would have sent yet: the end of a body whose answer came before it. */
void ratmom_gather_drop(struct ratmom_multi *m, int32_t fd, int closed) {
    struct ratmom_out *o = m->io->fds[fd].out;
    if (!o)
        return;
    if (!closed)
        (void)push(o);
    out_free(m, o);
}

void ratmom_gather_free(struct ratmom_multi *m) {
    while (m->outs)
        out_free(m, m->outs);
    discard(m->out_spare);
    m->out_spare = NULL;
}

static ssize_t fail(int error) {
    errno = error;
    return -1;
}

static ssize_t append(struct ratmom_out *o, const void *p, size_t n) {
    if (o->n - o->at + n > (n > WORTH ? LARGE : MOST))
        return fail(EAGAIN);
    if (o->n + n > o->cap) {
        memmove(o->data, o->data + o->at, o->n - o->at);
        o->n -= o->at;
        o->at = 0;
    }
    if (o->n + n > o->cap) {
        char *more = mremap(o->data, o->cap, MOST, MREMAP_MAYMOVE);
        if (more == MAP_FAILED)
            return fail(EAGAIN);
        o->data = more;
        o->cap = MOST;
    }
    memcpy(o->data + o->n, p, n);
    o->n += (uint32_t)n;
    return (ssize_t)n;
}

static ssize_t gather(struct ratmom_multi *m, int fd, const void *p, size_t n) {
    struct ratmom_fd *f = &m->io->fds[fd];
    if (f->out && f->out->n - f->out->at + n > ROOM)
        flush(m, f->out);
    if (f->out_error)
        return fail(f->out_error);
    if (!f->out && (f->relay || n > PIECE || (n < WORTH && !f->http2) || !out_new(m, fd)))
        return send_now(fd, p, n, MSG_NOSIGNAL);
    m->gathered++;
    ssize_t got = append(f->out, p, n);
    if (got < 0 && n <= WORTH) { /* it must not wait: nothing goes on this connection */
        f->out_error = ENOBUFS;
        shutdown(fd, SHUT_RDWR);
        errno = ENOBUFS;
    }
    return got;
}

/* Weak: the program may have one of its own. */
__attribute__((weak)) ssize_t send(int fd, const void *p, size_t n, int flags) {
    struct ratmom_multi *m = sending;
    if (m && fd >= 0 && fd < m->io->nfds && m->io->fds[fd].ours && !m->io->fds[fd].udp &&
        flags == MSG_NOSIGNAL)
        return gather(m, fd, p, n);
    return send_now(fd, p, n, flags);
}

/* A connection has ended, it seems. The kernel tells once of one that broke, and it has told us:
 * without that, what libcurl reads would end as if the server had ended it, and half an answer be a
 * whole one. EPIPE is what it says where the other side had ended its own before. */
ssize_t ratmom_gather_ended(struct ratmom_multi *m, int32_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    int error = f->out_error;
    if (!error || error == EPIPE || f->http2) /* HTTP/2 tells an end itself */
        return 0;
    f->out_error = EPIPE;
    return fail(error);
}
#else
struct ratmom_multi *ratmom_gather_begin(struct ratmom_multi *m) {
    (void)m;
    return NULL;
}
void ratmom_gather_end(struct ratmom_multi *m, struct ratmom_multi *outer) {
    (void)m;
    (void)outer;
}
void ratmom_gather_hold(struct ratmom_multi *m, int n) {
    (void)m;
    (void)n;
}
void ratmom_gather_release(struct ratmom_multi *m) { (void)m; }
int ratmom_gather_more(struct ratmom_multi *m, int32_t fd, uint32_t *had) {
    (void)m;
    (void)fd;
    (void)had;
    return 0;
}
int ratmom_gather_resume(struct ratmom_multi *m, int32_t fd) {
    (void)m;
    (void)fd;
    return 1;
}
void ratmom_gather_drop(struct ratmom_multi *m, int32_t fd, int closed) {
    (void)m;
    (void)fd;
    (void)closed;
}
void ratmom_gather_free(struct ratmom_multi *m) { (void)m; }
#endif
