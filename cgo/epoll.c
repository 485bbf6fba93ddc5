/* Waiting, on Linux: one epoll set with libcurl's sockets, an eventfd for
 * wake-ups and a timerfd. Changes to the set are lazy. */
#ifndef RATMOM_POLL
#include "sockets.h"

#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define BATCH 64             /* sockets that one look finds */
#define STEP_NS 2000000      /* a step that took longer stops between sockets */
#define ROUNDS 16            /* looks at the sockets in one step, for bulk */
#define ROUNDS_NS 500000     /* and the time after which it is enough */
#define OUT_SPINS 3          /* fruitless OUT events before OUT is withheld */
#define HOLD_NS 1000000000ll /* and for how long at the most */
#define RETRY_NS 20000000ll  /* until a change that the kernel refused is tried again */

/* What epoll has reported and is not served yet. */
struct ratmom_batch {
    struct epoll_event ev[BATCH];
    int n, at;      /* reported, served */
    int round;      /* looks so far in this step */
    uint32_t reads; /* m->read_calls at the last one */
    int64_t start;  /* of the step */
};

/* Has mend look at the sockets at the given time. */
static void mend_at(struct ratmom_multi *m, int64_t at) {
    if (at < m->mend)
        m->mend = at;
}

static void ctl(struct ratmom_multi *m, curl_socket_t fd, struct ratmom_fd *f, uint32_t mask) {
    struct epoll_event ev = {.events = mask | (f->out_waits ? EPOLLOUT : 0), .data.fd = fd};
    int op = f->in_epoll ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;
    m->epoll_ctls++;
    if (epoll_ctl(m->epfd, op, fd, &ev)) {
        /* The number was closed or used again behind our back: not fatal. */
        op = errno == EEXIST ? EPOLL_CTL_MOD : errno == ENOENT ? EPOLL_CTL_ADD : 0;
        if (!op || epoll_ctl(m->epfd, op, fd, &ev)) {
            /* Out of memory or watches: the transfer must not hang for ever. */
            if (errno == ENOMEM || errno == ENOSPC)
                mend_at(m, ratmom_now() + RETRY_NS);
            f->in_epoll = 0;
            return;
        }
    }
    f->in_epoll = 1;
    f->reg = mask;
}

/* Makes the changes that were refused or put off for long enough. */
static void mend(struct ratmom_multi *m) {
    m->mend = INT64_MAX;
    for (int32_t fd = 0; fd < m->io->nfds; fd++) {
        struct ratmom_fd *f = &m->io->fds[fd];
        if (f->out_waits && !f->in_epoll) {
            ctl(m, fd, f, f->removed ? EPOLLIN : f->want);
            continue;
        }
        if (!f->want || f->removed || (f->in_epoll && f->reg == f->want))
            continue;
        f->held_out = 0;
        ctl(m, fd, f, f->want);
    }
}

void ratmom_fd_watch(struct ratmom_multi *m, curl_socket_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    if ((f->in_epoll && f->reg) || f->want || f->udp || !f->ours)
        return;
    f->removed = 1;
    ctl(m, fd, f, EPOLLIN);
}

void ratmom_fd_drop(struct ratmom_multi *m, curl_socket_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    if (!f->in_epoll)
        return;
    if (f->out_waits) { /* what has been sent on it is to leave yet */
        ctl(m, fd, f, 0);
        return;
    }
    struct epoll_event ev = {0};
    m->epoll_ctls++;
    epoll_ctl(m->epfd, EPOLL_CTL_DEL, fd, &ev);
    f->in_epoll = 0;
    f->reg = 0;
}

void ratmom_fd_rewait(struct ratmom_multi *m, int32_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    if (f->out_waits || f->reg)
        ctl(m, fd, f, f->reg);
    else
        ratmom_fd_drop(m, fd);
}

void ratmom_fd_relay(struct ratmom_multi *m, curl_socket_t fd, unsigned events) {
    struct ratmom_fd *f = &m->io->fds[fd];
    uint32_t mask = (events & RATMOM_FD_IN ? EPOLLIN : 0) | (events & RATMOM_FD_OUT ? EPOLLOUT : 0);
    f->removed = f->held_out = 0;
    f->want = mask;
    if (!mask && (events & RATMOM_FD_GONE))
        mask = EPOLLET; /* the end of the other side is reported in any case: once */
    if (!mask)
        ratmom_fd_drop(m, fd); /* an error is, too, and again and again */
    else if (!f->in_epoll || f->reg != mask)
        ctl(m, fd, f, mask);
}

void ratmom_fd_swapped(struct ratmom_multi *m, curl_socket_t fd) {
    struct ratmom_fd *f = &m->io->fds[fd];
    f->held_out = f->out_spins = 0;
    if (f->want)
        ctl(m, fd, f, f->want);
    else if (f->removed)
        ctl(m, fd, f, EPOLLIN);
    else if (f->out_waits)
        ctl(m, fd, f, 0);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *sockp) {
    struct ratmom_multi *m = user;
    struct ratmom_fd *f = ratmom_fd_at(m, fd);
    (void)sockp;
    if (!f)
        return -1;
    if (f->relay)
        return 0;
    if (what == CURL_POLL_REMOVE) {
        f->want = 0;
        f->held_out = 0;
        f->out_spins = 0;
        if (f->ours) {
            f->removed = 1; /* lazily: the next request mostly wants it again */
            if (f->in_epoll && f->reg == EPOLLET)
                ctl(m, fd, f, EPOLLIN);
        } else
            ratmom_fd_drop(m, fd);
        return 0;
    }
    if (f->local) { /* no port to know it by: its user is who asks for events */
        struct ratmom_req *r = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r);
        if (r && r->fd < 0) {
            r->fd = fd;
            r->fd_gen = f->gen;
            f->users++;
        }
    }
    f->want = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    f->removed = 0;
    f->out_spins = 0;
    if (f->held_out) {
        if ((f->want & EPOLLIN) && f->reg == EPOLLIN)
            return 0; /* OUT comes back with the next IN */
        f->held_out = 0;
    }
    if (!f->in_epoll || f->reg != f->want)
        ctl(m, fd, f, f->want);
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *user) {
    struct ratmom_multi *m = user;
    (void)multi;
    m->deadline = ms < 0 ? INT64_MAX : ms == 0 ? 0 : ratmom_now() + ms * 1000000ll;
    return 0;
}

int ratmom_wait_open(struct ratmom_multi *m) {
    struct epoll_event ev = {.events = EPOLLIN};
    if (!(m->batch = calloc(1, sizeof(*m->batch))))
        return ENOMEM;
    m->epfd = epoll_create1(EPOLL_CLOEXEC);
    m->evfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    m->tmfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (m->epfd < 0 || m->evfd < 0 || m->tmfd < 0)
        return errno;
    ev.data.fd = m->evfd;
    if (epoll_ctl(m->epfd, EPOLL_CTL_ADD, m->evfd, &ev))
        return errno;
    ev.data.fd = m->tmfd;
    if (epoll_ctl(m->epfd, EPOLL_CTL_ADD, m->tmfd, &ev))
        return errno;
    curl_multi_setopt(m->m, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(m->m, CURLMOPT_SOCKETDATA, m);
    curl_multi_setopt(m->m, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(m->m, CURLMOPT_TIMERDATA, m);
    return 0;
}

void ratmom_wait_close(struct ratmom_multi *m) {
    if (m->epfd >= 0)
        close(m->epfd);
    if (m->evfd >= 0)
        close(m->evfd);
    if (m->tmfd >= 0)
        close(m->tmfd);
    free(m->batch);
}

/* Whether no transfer is on the socket: it is known by its port, or, on a unix
 * socket, by libcurl not waiting for it. */
int ratmom_fd_idle(struct ratmom_multi *m, struct ratmom_fd *f) {
    if (!f->ours || f->users || f->udp || f->relay || f->dial || f->out)
        return 0;
    return f->key || (f->local && f->removed && !ratmom_io_unplaced(m));
}

/* An event on a socket that libcurl dropped from its set. A transfer that runs
 * on it is paused: out of the set with it until libcurl asks again. Otherwise
 * the connection is idle and the server has closed it or sent something. */
static void on_dropped(struct ratmom_multi *m, curl_socket_t fd, struct ratmom_fd *f) {
    char c;
    int idle = !f->users && !(f->local && ((f->http2 && m->nlive) || ratmom_io_unplaced(m)));
    if (idle && !f->udp) {
        ssize_t n = recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
            /* Nothing came. 8.14.1 drops a socket that it wanted to write to, too,
             * when the response is there before it has seen the request as sent. */
            if (f->reg & EPOLLOUT)
                ctl(m, fd, f, EPOLLIN);
            return;
        }
        if (f->http2 && n > 0 &&
            !ratmom_fd_ended(fd)) { /* a PING or SETTINGS: libcurl reads it at the next use */
            if (f->reg != EPOLLRDHUP) {
                ctl(m, fd, f, EPOLLRDHUP);
                return;
            }
        }
        /* HTTP/1: whatever came is not the answer to a request. */
        shutdown(fd, SHUT_RDWR);
        ratmom_fd_dead(m, f);
    }
    ratmom_fd_drop(m, fd);
}

static uint64_t sent_bytes(curl_socket_t fd) {
    struct tcp_info ti;
    socklen_t n = sizeof(ti);
    memset(&ti, 0, sizeof(ti));
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &n))
        return 0;
    return ti.tcpi_bytes_sent + ti.tcpi_notsent_bytes;
}

/* Has libcurl read or write, and write on while it only fills what is sent together. */
static CURLMcode drive(struct ratmom_multi *m, curl_socket_t fd, uint32_t gen, int mask) {
    uint32_t had = 0;
    m->out_hold = 1;
    CURLMcode rc = ratmom_drive(m, fd, mask);
    while (!rc && m->io->fds[fd].gen == gen && (m->io->fds[fd].want & EPOLLOUT) &&
           ratmom_gather_more(m, fd, &had))
        rc = ratmom_drive(m, fd, CURL_CSELECT_OUT);
    ratmom_gather_release(m);
    return rc;
}

static void on_ready(struct ratmom_multi *m, curl_socket_t fd, uint32_t ev) {
    struct ratmom_fd *f = ratmom_fd_at(m, fd);
    int mask = 0;
    if (f && f->out_waits) {
        if (!ratmom_gather_resume(m, fd) || !(f->reg & EPOLLOUT))
            ev &= ~(uint32_t)EPOLLOUT; /* libcurl need not know */
        if (!ev)
            return;
    }
    if (f && f->relay) {
        ratmom_relay_run(m, f->relay, (ev & EPOLLHUP) && ratmom_relay_gone(f->relay));
        return;
    }
    if (!f || (!f->want && !f->removed))
        return;
    if (f->removed) {
        on_dropped(m, fd, f);
        return;
    }
    if (ev & (EPOLLERR | EPOLLHUP))
        ev |= f->want;
    if (f->held_out && (ev & EPOLLIN)) {
        f->held_out = 0;
        f->out_spins = 0;
        ctl(m, fd, f, f->want);
        mask |= CURL_CSELECT_OUT;
    }
    mask |= (ev & EPOLLIN ? CURL_CSELECT_IN : 0) | (ev & EPOLLOUT ? CURL_CSELECT_OUT : 0);
    if (f->lowat && (ev & ~(uint32_t)EPOLLOUT))
        f->lowat_heard = ratmom_now();
    uint32_t reads = m->read_calls, gen = f->gen;
    CURLMcode rc = drive(m, fd, gen, mask);
    if (rc && rc != CURLM_BAD_SOCKET)
        m->multi_code = rc;
    if (m->nfirst)
        ratmom_tls_heard(m, fd);
    if (mask != CURL_CSELECT_OUT)
        return;
    /* 7.88.1 keeps asking for OUT while an HTTP/2 upload is blocked by flow
     * control, and would be woken a million times a second. */
    f = ratmom_fd_at(m, fd);
    if (f->gen != gen || !(f->want & EPOLLOUT) || m->read_calls != reads || !f->users) {
        f->out_spins = 0;
        return;
    }
    uint64_t sent = sent_bytes(fd);
    if (sent != f->sent || !f->out_spins) {
        f->sent = sent;
        f->out_spins = 1;
        return;
    }
    if (++f->out_spins >= OUT_SPINS) {
        /* With the reader paused it does not even ask for IN: then there is nothing to wait
         * for but the end of the connection, which is reported in any case: once. */
        f->held_out = 1;
        f->out_spins = 0;
        ctl(m, fd, f, f->want & EPOLLIN ? EPOLLIN : EPOLLET);
        mend_at(m, m->now + HOLD_NS);
    }
}

static void arm(struct ratmom_multi *m, int64_t at) {
    if (at >= m->armed)
        return; /* it fires soon enough */
    struct itimerspec t = {{0, 0}, {at / 1000000000ll, at % 1000000000ll}};
    if (at <= 0)
        t.it_value.tv_nsec = 1;
    timerfd_settime(m->tmfd, TFD_TIMER_ABSTIME, &t, NULL);
    m->armed = at;
}

/* Looks what is ready, unless the step has had enough. */
static int look(struct ratmom_multi *m) {
    struct ratmom_batch *b = m->batch;
    b->at = b->n = 0;
    /* While only body bytes come, or go, go on here: over TLS 7.88.1 takes one record of
     * 16 KiB at a time, and a turn through Go for each would cost more than it. */
    if (b->round && (m->urgent || (!m->nevents && m->read_calls == b->reads) ||
                     (m->now = ratmom_now()) - b->start > ROUNDS_NS))
        return 0;
    b->reads = m->read_calls;
    if (b->round++ >= ROUNDS)
        return 0;
    b->n = epoll_wait(m->epfd, b->ev, BATCH, 0);
    if (b->n < 0)
        b->n = 0;
    m->nready += (uint32_t)b->n;
    m->crowded |= b->n == BATCH;
    return b->n;
}

void ratmom_wait_begin(struct ratmom_multi *m) {
    struct ratmom_batch *b = m->batch;
    b->start = m->now;
    b->n = b->at = b->round = 0;
    m->nready = 0;
    m->urgent = m->crowded = 0;
}

int ratmom_wait_serve(struct ratmom_multi *m) {
    struct ratmom_batch *b = m->batch;
    uint64_t junk;
    if (b->at == b->n && !look(m))
        return 0;
    struct epoll_event *e = &b->ev[b->at++];
    int fd = e->data.fd;
    if (fd == m->evfd) {
        m->wakeups++;
        m->urgent = 1;
        (void)!read(fd, &junk, sizeof(junk));
    } else if (fd == m->tmfd) {
        (void)!read(fd, &junk, sizeof(junk));
        m->armed = INT64_MAX;
    } else {
        on_ready(m, fd, e->events);
        /* Sockets left unserved are reported again. */
        if ((b->at & 7) == 0 && (m->now = ratmom_now()) - b->start > STEP_NS) {
            m->truncated = m->urgent = 1;
            b->n = b->at;
        }
    }
    return 1;
}

void ratmom_wait_expire(struct ratmom_multi *m) {
    for (int i = 0; i < 4 && m->deadline <= m->now; i++) {
        m->deadline = INT64_MAX; /* it does not repeat */
        CURLMcode rc = ratmom_drive(m, CURL_SOCKET_TIMEOUT, 0);
        if (rc)
            m->multi_code = rc;
        if (m->nlimited)
            ratmom_nudge(m);
    }
}

/* Each timer is taken when its transfer is run. */
int ratmom_wait_settled(struct ratmom_multi *m) {
    (void)m;
    return 1;
}

void ratmom_wait_kick(struct ratmom_multi *m, struct ratmom_req *r) {
    ratmom_drive(m, r->fd, CURL_CSELECT_IN);
}

void ratmom_wait_end(struct ratmom_multi *m, int park) {
    if (m->deadline <= m->now)
        m->nready++;
    if (m->mend <= m->now)
        mend(m);
    int64_t lowat = ratmom_lowat_expire(m);
    if (park && !m->nready) {
        int64_t at = m->deadline < m->go_deadline ? m->deadline : m->go_deadline;
        if (m->hasten < at)
            at = m->hasten;
        if (lowat < at)
            at = lowat;
        arm(m, at < m->mend ? at : m->mend);
    }
}

void ratmom_poll_wait(struct ratmom_multi *m) { (void)m; }
void ratmom_poll_wake(struct ratmom_multi *m) { (void)m; }
#endif
