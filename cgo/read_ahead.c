/* What libcurl reads.
 *
 * OpenSSL reads the five bytes of a record's head, and then what is behind them; after each
 * record of a large body libcurl asks the kernel whether there is more. So each 16 KiB cost three
 * calls. ratmom, which stands between libcurl and the C library here (gather.c), reads the head of
 * the next record with the record before it, and gives it out when it is asked for, by whoever
 * reads from the socket. While it has any of it, it answers for the kernel that there is something
 * to read.
 *
 * Nothing is to be waited for that only ratmom has: behind the head of a record there is always
 * more to come, and epoll reports that. (To read whole records ahead would want what libcurl
 * does not read to be given to it again; OpenSSL's own reading ahead stalls libcurl for that.)
 *
 * And when the kernel has had less than was asked for, libcurl is told "nothing" without asking if
 * it goes on in the same call, once, and not if poll has told it since that there is something.
 * What comes meanwhile epoll reports. */
#define _GNU_SOURCE
#include "sockets.h"

#if RATMOM_BETWEEN_LIBC
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define HEAD 5
#define APPLICATION_DATA 23
#define RECORD_MOST (16384 + 256) /* RFC 8446, section 5.2 */
#define WORTH 4096

struct ahead {
    uint8_t n;
    unsigned char head[HEAD]; /* its last n bytes */
};

/* Of all sockets of the process by their numbers: who reads from one need not know whose it is. */
#define ROW 4096
#define ROWS 256
static struct ahead *rows[ROWS];

static ssize_t (*kernel_recv)(int, void *, size_t, int);
static ssize_t (*kernel_recvmsg)(int, struct msghdr *, int);

__attribute__((constructor)) static void find(void) {
    *(void **)&kernel_recv = dlsym(RTLD_NEXT, "recv");
    *(void **)&kernel_recvmsg = dlsym(RTLD_NEXT, "recvmsg");
}

static struct ahead *at(int fd) {
    if (fd < 0 || fd >= ROW * ROWS)
        return NULL;
    struct ahead *row = __atomic_load_n(&rows[fd / ROW], __ATOMIC_ACQUIRE);
    return row ? &row[fd % ROW] : NULL;
}

static struct ahead *make(int fd) {
    struct ahead *a = at(fd);
    if (a || fd < 0 || fd >= ROW * ROWS)
        return a;
    struct ahead *row = calloc(ROW, sizeof(*row)), *none = NULL;
    if (row && !__atomic_compare_exchange_n(&rows[fd / ROW], &none, row, 0, __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE))
        free(row); /* another thread was first */
    return at(fd);
}

int ratmom_ahead(int fd) {
    const struct ahead *a = at(fd);
    return a && a->n;
}

/* The number is that of another socket from here on. */
void ratmom_ahead_drop(int fd) {
    struct ahead *a = at(fd);
    if (a)
        a->n = 0;
}

static ssize_t ask(int fd, void *p, size_t n, int flags) {
    return kernel_recv ? kernel_recv(fd, p, n, flags)
                       : syscall(SYS_recvfrom, fd, p, n, flags, NULL, NULL);
}

/* How long the record is whose head this is; 0: none that another is expected behind. After a large
 * one that may be a small one, too: 64 KiB of frames and their heads make four and the rest. */
static uint32_t length(const unsigned char *head, int follows) {
    uint32_t n = (uint32_t)head[3] << 8 | head[4], least = follows ? 1 : WORTH;
    return head[0] == APPLICATION_DATA && head[1] == 3 && n >= least && n <= RECORD_MOST ? n : 0;
}

static ssize_t take(struct ahead *a, void *p, size_t n, int flags) {
    const unsigned char *from = a->head + HEAD - a->n;
    if (n > a->n)
        n = a->n;
    memcpy(p, from, n);
    if (!(flags & MSG_PEEK))
        a->n -= (uint8_t)n;
    return (ssize_t)n;
}

/* Reads a record, and the head of the next one if that is there. Returns how much came of both. */
static ssize_t record(struct ratmom_multi *m, struct ahead *a, int fd, void *p, size_t n) {
    struct iovec to[2] = {{p, n}, {a->head, HEAD}};
    struct msghdr msg = {.msg_iov = to, .msg_iovlen = 2};
    ssize_t got = kernel_recvmsg ? kernel_recvmsg(fd, &msg, 0) : syscall(SYS_recvmsg, fd, &msg, 0);
    if (got <= (ssize_t)n)
        return got;
    a->n = (uint8_t)(got - (ssize_t)n);
    m->heads += a->n == HEAD;
    if (a->n < HEAD)
        memmove(a->head + HEAD - a->n, a->head, a->n);
    return got;
}

/* Asks the kernel. If less has come than could have, there is no more for now. */
static ssize_t fetch(struct ratmom_multi *m, struct ahead *a, int fd, void *p, size_t n) {
    ssize_t got = a ? record(m, a, fd, p, n) : ask(fd, p, n, 0);
    if (got < 0 ? errno == EAGAIN : got && (size_t)got < n + (a ? HEAD : 0))
        m->empty = fd;
    return got > (ssize_t)n ? (ssize_t)n : got;
}

/* Reads what libcurl wants while the loop drives it. */
static ssize_t serve(struct ratmom_multi *m, int fd, void *p, size_t n) {
    struct ratmom_fd *f = &m->io->fds[fd];
    struct ahead *a = at(fd);
    int ahead = a && a->n;
    ssize_t got;
    if (ahead) {
        got = take(a, p, n, 0);
    } else if (n && m->empty == fd) {
        m->empty = -1; /* once: whoever asks on and on is to come to an end */
        m->empties++;
        errno = EAGAIN;
        return -1;
    } else {
        got = fetch(m, n && f->record == n ? make(fd) : NULL, fd, p, n);
    }
    if (n == HEAD && got == HEAD)
        f->record = length(p, ahead);
    else if (f->record != n)
        f->record = 0;
    else if (got > 0)
        f->record -= (uint32_t)got;
    return got;
}

/* Weak: the program may have one of its own. */
__attribute__((weak)) ssize_t recv(int fd, void *p, size_t n, int flags) {
    struct ratmom_multi *m = ratmom_driving;
    if (m && !flags && fd >= 0 && fd < m->io->nfds && m->io->fds[fd].ours && !m->io->fds[fd].udp) {
        ssize_t got = ratmom_head_read(m, fd, p, serve(m, fd, p, n));
        return got || !n ? got : ratmom_gather_ended(m, fd);
    }
    struct ahead *a = at(fd);
    return a && a->n ? take(a, p, n, flags) : ask(fd, p, n, flags);
}

#else
int ratmom_ahead(int fd) {
    (void)fd;
    return 0;
}
void ratmom_ahead_drop(int fd) { (void)fd; }
#endif
