/* Tunnels: connections that libcurl makes (CURLOPT_CONNECT_ONLY), through whatever
 * proxies there are, and whose bytes are the caller's. Where no TLS is spoken on the
 * way, libcurl keeps nothing of the connection: it reads the proxy's answer byte by
 * byte, so that what comes early stays in the socket. The caller then gets the socket
 * itself, and libcurl forgets it. Otherwise the bytes pass through libcurl, and the
 * caller gets one end of a socketpair; the loop moves them between the other end and
 * libcurl, a buffer of each direction at a time, so that a side that does not read
 * stops the other.
 *
 * Of a WebSocket, libcurl takes and gives frames: each piece of one has a head before
 * it on the way to and from the caller. Pings are answered here, between two frames:
 * libcurl would do it in the midst of a frame that is being sent. */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PIECE (16 * 1024) /* a TLS record */
#define ROUNDS 16         /* pieces of one run */

#ifdef MSG_NOSIGNAL
#define SEND_FLAGS (MSG_NOSIGNAL | MSG_DONTWAIT)
#else
#define SEND_FLAGS MSG_DONTWAIT
#endif

struct piece {
    size_t off, len; /* what is left: from off to len */
    int ended;       /* no more will come */
    char data[PIECE];
};

struct frame {
    uint32_t flags, len, more;
};

struct ratmom_relay {
    int websocket;
    struct frame sending; /* its head is complete when got is RATMOM_FRAME_HEAD */
    size_t got, sent;     /* bytes of the head, bytes of the frame that libcurl has taken */
    char ping[125];       /* as far as it has come */
    char pong[125];       /* the answer to the newest */
    int pong_len;         /* -1: none is owed */
    char answer[125];     /* the one that is being sent */
    int answer_len, answer_sent;
    curl_socket_t net; /* libcurl's */
    int pair;          /* our end */
    int gone;          /* the caller has closed the other end */
    int deaf;          /* the network takes nothing more */
    CURLcode result;   /* the first failure */
    int closed_out;    /* the network has been told that no more will come */
    int told;          /* the caller likewise */
    struct piece down, up;
};

/* The connection is there. */
int ratmom_tunnel_begin(struct ratmom_multi *m, struct ratmom_req *r) {
    curl_socket_t net = CURL_SOCKET_BAD;
    curl_easy_getinfo(r->easy, CURLINFO_ACTIVESOCKET, &net);
    if (net == CURL_SOCKET_BAD)
        return CURLE_RECV_ERROR;
    if (net < m->io->nfds && m->io->fds[net].dial) {
        r->held = 1; /* until the connection is there in truth */
        return CURLE_OK;
    }
    if (r->tunnel == RATMOM_TUNNEL_SOCKET) {
        r->tunnel_fd = fcntl(net, F_DUPFD_CLOEXEC, 0);
        return r->tunnel_fd < 0 ? CURLE_FAILED_INIT : CURLE_OK;
    }
    int fds[2];
    struct ratmom_relay *y = calloc(1, sizeof(*y));
    if (!y)
        return CURLE_OUT_OF_MEMORY;
    if (ratmom_pair_open(fds)) {
        free(y);
        return CURLE_FAILED_INIT;
    }
    if (!ratmom_fd_at(m, net) || !ratmom_fd_at(m, fds[0])) {
        close(fds[0]);
        close(fds[1]);
        free(y);
        return CURLE_OUT_OF_MEMORY;
    }
    y->websocket = r->tunnel == RATMOM_TUNNEL_WEBSOCKET;
    y->pong_len = y->answer_len = -1;
    y->net = net;
    y->pair = fds[0];
    r->tunnel_fd = fds[1];
    r->relay = y;
    m->io->fds[y->net].relay = m->io->fds[y->pair].relay = r;
    ratmom_mark(r, RATMOM_EV_TUNNEL);
    /* The first run also makes the connection one that is in use, for libcurl. */
    ratmom_relay_run(m, r, 0);
    return CURLE_OK;
}

static int left(const struct piece *p) { return p->off < p->len; }

/* Whether libcurl still has to take a frame without bytes. */
static int unsent(const struct ratmom_relay *y) {
    return y->websocket && y->got == RATMOM_FRAME_HEAD && !y->sending.len;
}

static void fail(struct ratmom_relay *y, CURLcode rc) {
    if (!y->result)
        y->result = rc;
}

/* The network takes nothing more: the caller's next write fails. */
static void deafen(struct ratmom_relay *y) {
    y->deaf = y->up.ended = 1;
    y->up.off = y->up.len = y->got = 0;
    y->pong_len = y->answer_len = -1;
    shutdown(y->pair, SHUT_RD);
}

/* Takes a piece of a frame, with its head. */
static CURLcode recv_frame(struct ratmom_req *r, struct piece *p, size_t *n) {
    struct ratmom_relay *y = r->relay;
    const struct curl_ws_frame *meta = NULL;
    size_t got = 0;
    CURLcode rc =
        curl_ws_recv(r->easy, p->data + RATMOM_FRAME_HEAD, sizeof(p->data) - RATMOM_FRAME_HEAD,
                     &got, (void *)&meta); /* const came later */
    if (rc == CURLE_GOT_NOTHING)
        return CURLE_OK; /* the end */
    if (rc)
        return rc;
    struct frame f = {(uint32_t)meta->flags, (uint32_t)got,
                      meta->bytesleft > UINT32_MAX ? UINT32_MAX : (uint32_t)meta->bytesleft};
    if (f.flags & CURLWS_PING) {
        if (meta->offset + (curl_off_t)got > (curl_off_t)sizeof(y->ping))
            return CURLE_RECV_ERROR;
        memcpy(y->ping + meta->offset, p->data + RATMOM_FRAME_HEAD, got);
        if (!f.more) {
            y->pong_len = (int)(meta->offset + (curl_off_t)got);
            memcpy(y->pong, y->ping, (size_t)y->pong_len);
        }
    }
    memcpy(p->data, &f, RATMOM_FRAME_HEAD);
    *n = RATMOM_FRAME_HEAD + got;
    return CURLE_OK;
}

/* From the network to the caller; returns 1 if it got on. */
static int down(struct ratmom_req *r) {
    struct ratmom_relay *y = r->relay;
    struct piece *p = &y->down;
    if (!left(p)) {
        if (p->ended)
            return 0;
        size_t n = 0;
        CURLcode rc = y->websocket ? recv_frame(r, p, &n)
                                   : curl_easy_recv(r->easy, p->data, sizeof(p->data), &n);
        if (rc == CURLE_AGAIN)
            return 0;
        p->off = 0;
        p->len = rc ? 0 : n;
        if (rc || !n) {
            p->ended = 1;
            if (rc) {
                fail(y, rc);
                deafen(y);
            }
            return 1;
        }
    }
    if (y->gone) { /* nobody wants it */
        p->off = p->len = 0;
        p->ended = 1;
        return 1;
    }
    ssize_t n = send(y->pair, p->data + p->off, p->len - p->off, SEND_FLAGS);
    if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
        return 0;
    if (n < 0) {
        y->gone = 1;
        return 1;
    }
    p->off += (size_t)n;
    return 1;
}

/* Hands a part of a frame to libcurl, and the frame's head when it begins. */
static CURLcode send_frame(struct ratmom_req *r, struct piece *p) {
    struct ratmom_relay *y = r->relay;
    if (y->got < RATMOM_FRAME_HEAD) {
        size_t n = p->len - p->off;
        if (n > RATMOM_FRAME_HEAD - y->got)
            n = RATMOM_FRAME_HEAD - y->got;
        memcpy((char *)&y->sending + y->got, p->data + p->off, n);
        p->off += n;
        y->got += n;
        y->sent = 0;
        if (y->got < RATMOM_FRAME_HEAD || (y->sending.len && p->off == p->len))
            return CURLE_OK;
    }
    size_t n = p->len - p->off, sent = 0;
    if (n > y->sending.len - y->sent)
        n = y->sending.len - y->sent;
    CURLcode rc = curl_ws_send(r->easy, p->data + p->off, n, &sent, y->sending.len,
                               y->sending.flags | CURLWS_OFFSET);
    if (rc)
        return rc;
    p->off += sent;
    y->sent += sent;
    if (y->sent == y->sending.len)
        y->got = 0;
    return CURLE_OK;
}

/* Answers a ping, between two frames; returns 1 if nothing stands in the way of the
 * next one. */
static int send_pong(struct ratmom_req *r) {
    struct ratmom_relay *y = r->relay;
    size_t sent = 0;
    if (y->got == RATMOM_FRAME_HEAD)
        return 1;
    if (y->answer_len < 0) {
        if (y->pong_len < 0)
            return 1;
        memcpy(y->answer, y->pong, (size_t)y->pong_len);
        y->answer_len = y->pong_len;
        y->answer_sent = 0;
        y->pong_len = -1;
    }
    /* libcurl may take a part, and wants the rest of that very frame then. */
    CURLcode rc = curl_ws_send(r->easy, y->answer + y->answer_sent,
                               (size_t)(y->answer_len - y->answer_sent), &sent, 0, CURLWS_PONG);
    if (rc == CURLE_AGAIN)
        return 0;
    if (rc) {
        fail(y, rc);
        deafen(y);
        return 1;
    }
    y->answer_sent += (int)sent;
    if (y->answer_sent < y->answer_len)
        return 0;
    y->answer_len = -1;
    return 1;
}

/* Whether a pong can go as soon as the network takes it: not amid a frame, whose rest
 * may never come. */
static int owes_pong(const struct ratmom_relay *y) {
    return (y->pong_len >= 0 || y->answer_len >= 0) && y->got != RATMOM_FRAME_HEAD;
}

/* From the caller to the network. */
static int up(struct ratmom_req *r) {
    struct ratmom_relay *y = r->relay;
    struct piece *p = &y->up;
    if (!y->deaf && !send_pong(r))
        return 0;
    if (!left(p) && !unsent(y)) {
        if (p->ended)
            return 0;
        ssize_t n = recv(y->pair, p->data, sizeof(p->data), MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            return 0;
        p->off = 0;
        p->len = n > 0 ? (size_t)n : 0;
        if (n <= 0) {
            p->ended = 1;
            return 1;
        }
    }
    size_t n = 0;
    CURLcode rc = y->websocket ? send_frame(r, p)
                               : curl_easy_send(r->easy, p->data + p->off, p->len - p->off, &n);
    if (rc == CURLE_AGAIN)
        return 0;
    if (rc) {
        fail(y, rc);
        deafen(y);
        return 1;
    }
    p->off += n;
    return 1;
}

/* Passes ends on. libcurl has no call that ends the sending of TLS alone, so the
 * connection below it is told. */
static void pass_ends(struct ratmom_relay *y) {
    if (y->down.ended && !left(&y->down) && !y->told && !y->result) {
        y->told = 1;
        shutdown(y->pair, SHUT_WR);
    }
    if (y->up.ended && !left(&y->up) && !y->closed_out && !y->deaf && !y->websocket) {
        y->closed_out = 1;
        shutdown(y->net, SHUT_WR);
    }
}

/* Whether the caller has closed its end. epoll's word may be of a socket that had the
 * number before, closed since in the same step. */
int ratmom_relay_gone(const struct ratmom_req *r) {
    struct pollfd p = {.fd = r->relay->pair};
    return poll(&p, 1, 0) == 1 && (p.revents & POLLHUP);
}

/* Moves what can be moved. gone: the caller has closed its end. */
void ratmom_relay_run(struct ratmom_multi *m, struct ratmom_req *r, int gone) {
    struct ratmom_relay *y = r->relay;
    int more = 1;
    y->gone |= gone;
    struct ratmom_multi *outer = ratmom_gather_begin(m);
    for (int i = 0; more && i < ROUNDS; i++) {
        more = down(r);
        more |= up(r);
    }
    ratmom_gather_end(m, outer);
    pass_ends(y);
    int down_over = y->gone || (y->down.ended && !left(&y->down));
    int up_over = y->up.ended && !left(&y->up) && !unsent(y);
    if (down_over && (up_over || y->result)) {
        ratmom_finish(m, r, y->gone && up_over ? CURLE_OK : y->result);
        return;
    }
    /* A run that had enough goes on when the caller's end takes more, as it does at
     * once: what TLS holds already is not reported by the socket. */
    int full = left(&y->down) && !y->gone;
    ratmom_fd_relay(m, y->net,
                    (!full && !y->down.ended ? RATMOM_FD_IN : 0) |
                        (left(&y->up) || unsent(y) || owes_pong(y) ? RATMOM_FD_OUT : 0));
    ratmom_fd_relay(m, y->pair,
                    RATMOM_FD_GONE | (!left(&y->up) && !y->up.ended ? RATMOM_FD_IN : 0) |
                        (full || more ? RATMOM_FD_OUT : 0));
}

/* The loop lets go of it. */
void ratmom_relay_leave(struct ratmom_multi *m, struct ratmom_req *r) {
    struct ratmom_relay *y = r->relay;
    if (!y)
        return;
    ratmom_fd_relay(m, y->net, 0);
    ratmom_fd_relay(m, y->pair, 0);
    m->io->fds[y->net].relay = m->io->fds[y->pair].relay = NULL;
}

/* Our end is closed last, when it is known why. */
void ratmom_relay_free(struct ratmom_req *r) {
    if (r->tunnel_fd >= 0)
        close(r->tunnel_fd);
    if (r->relay) {
        close(r->relay->pair);
        free(r->relay);
    }
    r->tunnel_fd = -1;
    r->relay = NULL;
}
