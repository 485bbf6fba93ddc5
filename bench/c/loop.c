#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BATCH 256

void die(const char *what) {
    fprintf(stderr, "cpeer: %s: %s\n", what, errno ? strerror(errno) : "failed");
    exit(1);
}

int64_t loop_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct slot *slot_of(struct loop *l, int fd) {
    if (fd >= l->nslots) {
        int n = l->nslots ? l->nslots : 256;
        while (n <= fd)
            n *= 2;
        l->slots = realloc(l->slots, (size_t)n * sizeof(*l->slots));
        if (!l->slots)
            die("realloc");
        memset(l->slots + l->nslots, 0, (size_t)(n - l->nslots) * sizeof(*l->slots));
        l->nslots = n;
    }
    return &l->slots[fd];
}

static void control(struct loop *l, int op, int fd, uint32_t events) {
    struct epoll_event ev = {.events = events, .data.fd = fd};
    l->ctls++;
    if (epoll_ctl(l->epfd, op, fd, &ev) && op != EPOLL_CTL_DEL)
        die("epoll_ctl");
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *unused) {
    struct loop *l = user;
    struct slot *s = slot_of(l, fd);
    (void)easy;
    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (l->lazy && s->ours) {
            s->removed = 1;
            return 0;
        }
        if (s->events)
            control(l, EPOLL_CTL_DEL, fd, 0);
        s->events = 0;
        return 0;
    }
    uint32_t want = (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0);
    s->removed = 0;
    if (s->events != want)
        control(l, s->events ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, want);
    s->events = want;
    return 0;
}

static int on_timer(CURLM *multi, long ms, void *user) {
    struct loop *l = user;
    (void)multi;
    l->deadline = ms < 0 ? INT64_MAX : loop_now() + (int64_t)ms * 1000000;
    return 0;
}

static curl_socket_t on_open(void *user, curlsocktype purpose, struct curl_sockaddr *a) {
    struct loop *l = user;
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
    (void)purpose;
    if (fd < 0)
        return CURL_SOCKET_BAD;
    struct slot *s = slot_of(l, fd);
    memset(s, 0, sizeof(*s));
    s->ours = 1;
    return fd;
}

static int on_close(void *user, curl_socket_t fd) {
    struct loop *l = user;
    memset(slot_of(l, fd), 0, sizeof(struct slot)); /* closing takes it out of epoll */
    return close(fd);
}

void loop_open(struct loop *l, int lazy) {
    memset(l, 0, sizeof(*l));
    l->lazy = lazy;
    l->deadline = INT64_MAX;
    l->epfd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epfd < 0)
        die("epoll_create1");
    l->multi = curl_multi_init();
    if (!l->multi)
        die("curl_multi_init");
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(l->multi, CURLMOPT_SOCKETDATA, l);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(l->multi, CURLMOPT_TIMERDATA, l);
}

void loop_close(struct loop *l) {
    curl_multi_cleanup(l->multi);
    close(l->epfd);
    free(l->slots);
}

void loop_own_sockets(struct loop *l, CURL *easy) {
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, l);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, l);
}

static void action(struct loop *l, curl_socket_t fd, int flags) {
    int running;
    if (curl_multi_socket_action(l->multi, fd, flags, &running) != CURLM_OK)
        die("curl_multi_socket_action");
}

static void cork(struct loop *l, int on) {
    for (int fd = 0; fd < l->nslots; fd++)
        if (l->slots[fd].ours)
            setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* Starts the requests that were added. */
static void start(struct loop *l) {
    int corked = l->cork && l->added >= 4;
    l->added = 0;
    if (corked)
        cork(l, 1);
    action(l, CURL_SOCKET_TIMEOUT, 0);
    if (corked)
        cork(l, 0);
}

void loop_turn(struct loop *l) {
    struct epoll_event ev[BATCH];
    int wait = -1;
    if (l->deadline != INT64_MAX) {
        int64_t left = l->deadline - loop_now();
        wait = left <= 0 ? 0 : (int)((left + 999999) / 1000000);
    }
    l->waits++;
    int n = epoll_wait(l->epfd, ev, BATCH, wait);
    if (n < 0 && errno != EINTR)
        die("epoll_wait");
    for (int i = 0; i < n; i++) {
        int fd = ev[i].data.fd, flags = 0;
        struct slot *s = slot_of(l, fd);
        if (!s->events)
            continue; /* closed earlier in this batch */
        if (s->removed) {
            /* An idle connection that the server closed: libcurl finds out when
             * it wants to use it. */
            control(l, EPOLL_CTL_DEL, fd, 0);
            s->events = 0;
            continue;
        }
        if (ev[i].events & (EPOLLIN | EPOLLHUP))
            flags |= CURL_CSELECT_IN;
        if (ev[i].events & EPOLLOUT)
            flags |= CURL_CSELECT_OUT;
        if (ev[i].events & EPOLLERR)
            flags |= CURL_CSELECT_ERR;
        action(l, fd, flags);
    }
    if (l->deadline != INT64_MAX && l->deadline <= loop_now()) {
        l->deadline = INT64_MAX; /* the callback sets the next one */
        start(l);
    }
}
