#define _GNU_SOURCE
#include "beside.h"

#include <dlfcn.h>
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

/* A function that the program's own code calls by the name that libcurl's OpenSSL has it by. */
#define FIND(f, name) (*(void **)&(f) = dlsym(RTLD_DEFAULT, name)) != NULL

/* What comes between libcurl and OpenSSL leaves others what is theirs. */
static void check_openssl(void) {
    static const unsigned char junk[64] = {0x30, 0x82};
    const unsigned char *in = junk;
    const void *(*method)(void);
    void *(*make)(const void *), *(*store)(const void *), *(*parse)(void **, const void *, long);
    void (*free_ctx)(void *);
    if (!(FIND(method, "TLS_client_method")))
        return; /* libcurl has another TLS library */
    CHECK(FIND(make, "SSL_CTX_new"));
    CHECK(FIND(store, "SSL_CTX_get_cert_store"));
    CHECK(FIND(parse, "d2i_X509"));
    CHECK(FIND(free_ctx, "SSL_CTX_free"));
    void *one = make(method()), *other = make(method());
    CHECK(one && other && one != other);
    CHECK(store(one) && store(one) == store(one) && store(one) != store(other));
    CHECK(!parse(NULL, &in, sizeof(junk)) && in == junk);
    free_ctx(one);
    free_ctx(other);
}

void beside_check(void) {
    check_clock(CLOCK_MONOTONIC);
    check_clock(CLOCK_MONOTONIC_RAW);
    check_clock(CLOCK_REALTIME);
    check_poll();
    check_openssl();
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
