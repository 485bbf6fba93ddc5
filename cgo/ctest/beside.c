#define _GNU_SOURCE
#include "beside.h"

#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

static int64_t ns(const struct timespec *t) { return t->tv_sec * 1000000000ll + t->tv_nsec; }

static void check_clock(clockid_t id) {
    struct timespec before, t, after;
    CHECK(!syscall(SYS_clock_gettime, id, &before));
    CHECK(!clock_gettime(id, &t));
    CHECK(!syscall(SYS_clock_gettime, id, &after));
    CHECK(ns(&before) <= ns(&t) && ns(&t) <= ns(&after));
}

static void check_poll(void) {
    int fds[2];
    char c = 0;
    CHECK(!pipe(fds));
    struct pollfd p = {fds[0], POLLIN, 0};
    CHECK(poll(&p, 1, 0) == 0 && poll(&p, 1, 0) == 0);
    CHECK(write(fds[1], &c, 1) == 1);
    p.revents = 0;
    CHECK(poll(&p, 1, 0) == 1 && p.revents == POLLIN);
    CHECK(read(fds[0], &c, 1) == 1);
    close(fds[1]);
    CHECK(poll(&p, 1, -1) == 1 && (p.revents & POLLHUP));
    close(fds[0]);
}

void beside_check(void) {
    check_clock(CLOCK_MONOTONIC);
    check_clock(CLOCK_MONOTONIC_RAW);
    check_clock(CLOCK_REALTIME);
    check_poll();
}

static pthread_t thread;
static int over;

static void *run(void *arg) {
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
        beside_check();
    return arg;
}

void beside_begin(void) { CHECK(!pthread_create(&thread, NULL, run, NULL)); }

void beside_end(void) {
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
}
