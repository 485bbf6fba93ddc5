/* What libcurl is shown of a head, over HTTP/1.
 *
 * libcurl goes by a dozen fields. To find that any other is none of them it compares it with all,
 * and keeps a copy of each for a function that we do not call. So a head that comes in one piece,
 * and is in order, is taken as it is, right where it is read, and of its fields libcurl is given
 * those that it acts on. All else it sees as it came: heads in pieces, 1xx, what is folded or not
 * in order, and what follows a head.
 *
 * Only what comes first after a request has been sent, on a connection that is its own, can be its
 * head: so which one is awaited is noted when it is sent. Over TLS the head comes out of SSL_read.
 */
#include "openssl.h"
#include "sockets.h"

#if RATMOM_BETWEEN_LIBC

#include <string.h>
#include <strings.h>

#define LINES 64         /* of a head, at the most */
#define MOVED (4 * 1024) /* bytes behind a head, at the most, that are moved up to its new end */

/* The fields of a response that libcurl acts on, up to RATMOM_KNOWN_LIBCURL. */
static int acts_on(const char *name, size_t n) {
#define IS(s) (n == sizeof(s) - 1 && !strncasecmp(name, s, n))
    switch (n) {
    case 7:
        return IS("Alt-Svc") || IS("Trailer") || IS("Upgrade");
    case 8:
        return IS("Location");
    case 10:
        return IS("Connection") || IS("Set-Cookie");
    case 11:
        return IS("Retry-After");
    case 13:
        return IS("Content-Range") || IS("Last-Modified");
    case 14:
        return IS("Content-Length");
    case 15:
        return IS("Persistent-Auth");
    case 16:
        return IS("Content-Encoding") || IS("Proxy-Connection") || IS("WWW-Authenticate");
    case 17:
        return IS("Transfer-Encoding");
    case 18:
        return IS("Proxy-Authenticate");
    case 25:
        return IS("Strict-Transport-Security");
    }
    return 0;
#undef IS
}

/* A head in order: where its lines begin, the status line's first, and which libcurl is to see. */
struct head {
    uint32_t at[LINES + 1]; /* and where it ends */
    uint32_t n;             /* lines, without the empty one */
    uint64_t shown;         /* a bit for each of them */
    uint32_t hidden;        /* bytes of those without */
};

/* How long the line is, with its end; 0: it has none, or another than CRLF. */
static size_t line(const char *p, const char *end) {
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    return lf && lf > p && lf[-1] == '\r' ? (size_t)(lf + 1 - p) : 0;
}

/* How long the name is that the line begins with; 0: it does not, as one that is folded. */
static size_t name(const char *p, size_t n) {
    size_t i = 0;
    while (i < n && p[i] > ' ' && p[i] < 127 && p[i] != ':')
        i++;
    return i < n && p[i] == ':' ? i : 0;
}

/* Whether it is the status line of a final response. */
static int final(const char *p, size_t n) {
    return n >= 14 && !memcmp(p, "HTTP/1.", 7) && (p[7] == '0' || p[7] == '1') && p[8] == ' ' &&
           p[9] >= '2' && p[9] <= '5' && p[10] >= '0' && p[10] <= '9' && p[11] >= '0' &&
           p[11] <= '9' && (p[12] == ' ' || p[12] == '\r');
}

/* Reads it. Returns 0 if it is not whole, not in order, or there is nothing to hide. */
static int read_head(struct head *h, const char *p, size_t size) {
    const char *end = p + size;
    size_t at = line(p, end), n;
    if (!final(p, at))
        return 0;
    h->at[0] = 0;
    h->n = 1;
    h->shown = 1;
    h->hidden = 0;
    for (;; at += n) {
        n = line(p + at, end);
        h->at[h->n] = (uint32_t)at;
        if (n == 2)
            break;
        size_t len = name(p + at, n);
        if (!len || h->n == LINES)
            return 0;
        if (acts_on(p + at, len))
            h->shown |= 1ull << h->n;
        else
            h->hidden += (uint32_t)n;
        h->n++;
    }
    /* One at least is shown: with the first field 7.88.1 forgets one that is gone (guard in
     * transfer.c). */
    if (h->n > 1 && h->shown == 1) {
        h->shown |= 2;
        h->hidden -= h->at[2] - h->at[1];
    }
    return h->hidden && !memchr(p, 0, at);
}

/* Writes what libcurl is shown of the head from to p, where that was with size bytes in all. What
 * follows stays where it is if that is much: blanks in front of a value take up the room.
 * Returns how many bytes there are now. */
static size_t write_head(const struct head *h, char *p, const char *from, size_t size) {
    size_t len = h->at[h->n] + 2, blanks = size - len > MOVED ? h->hidden : 0;
    char *to = p;
    for (uint32_t i = 0; i < h->n; i++) {
        if (!(h->shown >> i & 1))
            continue;
        const char *l = from + h->at[i];
        size_t n = h->at[i + 1] - h->at[i];
        if (i && blanks) {
            size_t front = name(l, n) + 1;
            memcpy(to, l, front);
            memset(to + front, ' ', blanks);
            to += front + blanks;
            l += front;
            n -= front;
            blanks = 0;
        }
        memcpy(to, l, n);
        to += n;
    }
    *to++ = '\r';
    *to++ = '\n';
    if (to != p + len)
        memmove(to, p + len, size - len);
    return size - (size_t)(p + len - to);
}

/* n bytes have come from the socket, through TLS or not. If they begin with the head that is
 * awaited there, its request has all of it, and p what libcurl is shown. Returns how many
 * bytes are at p. */
static size_t show(struct ratmom_multi *m, int fd, char *p, size_t n, uint32_t tls) {
    struct ratmom_fd *f = &m->io->fds[fd];
    struct ratmom_req *r = f->awaits;
    struct head h;
    if (!r || r->tls != tls)
        return n;
    f->awaits = NULL;
    if (r->fd != fd || r->head_state || r->head_bytes || !read_head(&h, p, n))
        return n;
    r->head.len = 0;
    if (ratmom_buf_add(&r->head, p, h.at[h.n] + 2))
        return n;
    r->head_whole = 1;
    r->head_bytes = r->head.len;
    m->hidden++;
    return write_head(&h, p, r->head.p, n);
}

ssize_t ratmom_head_read(struct ratmom_multi *m, int fd, void *p, ssize_t n) {
    m->read_fd = fd;
    return n > 0 && m->io->fds[fd].awaits ? (ssize_t)show(m, fd, p, (size_t)n, 0) : n;
}

int ratmom_ssl_read(void *ssl, void *p, int n) {
    struct ratmom_multi *m = ratmom_driving;
    if (m)
        m->read_fd = -1;
    int got = ratmom_openssl()->read(ssl, p, n);
    return m && got > 0 && m->read_fd >= 0 && m->io->fds[m->read_fd].awaits
               ? (int)show(m, m->read_fd, p, (size_t)got, 1)
               : got;
}

/* The request is about to be sent. */
void ratmom_head_await(struct ratmom_req *r) {
    if (r->fd < 0 || !r->multi)
        return;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    f->awaits = NULL;
    if (f->http2 || f->udp || r->tunnel || r->tls_in_tls || r->auth_armed || r->expect_sent ||
        r->debug_on || r->want_info || ratmom_version() > RATMOM_KNOWN_LIBCURL)
        return;
    f->awaits = r;
}

/* It is on its connection no more. */
void ratmom_head_leave(struct ratmom_req *r) {
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (f->awaits == r)
        f->awaits = NULL;
}

#else
void ratmom_head_await(struct ratmom_req *r) { (void)r; }
void ratmom_head_leave(struct ratmom_req *r) { (void)r; }
#endif
