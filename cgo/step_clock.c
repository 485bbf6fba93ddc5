/* The clock in one call of libcurl.
 *
 * libcurl reads it some fifteen times for a small request and as often for its answer. ratmom has
 * clock_gettime in the place of the C library's, as it has functions of nghttp2's (early_end.c
 * tells how), and gives libcurl the same time USES times more before it reads the clock again; each
 * call begins anew. So its clock is a coarser one, which never goes back. It is behind by less than
 * a call has lasted, and a limit of time that begins then is over so much sooner.
 *
 * The clock is read each time while a transfer runs whose times somebody wants to know, or whose
 * speed is limited; while one has its host looked up or a connection made, since a call that
 * reckons for a handshake lasts; and for good when there has been a UDP socket, for QUIC measures
 * its path by the clock. */
#define _GNU_SOURCE
#include "ratmom.h"

#include <time.h>

#define NS 1000000000ll

#if RATMOM_BETWEEN_LIBC

#include <dlfcn.h>
#include <sys/syscall.h>
#include <unistd.h>

#define USES 16

static int (*next)(clockid_t, struct timespec *);

/* Not when it is first called: that may be in a signal handler. */
__attribute__((constructor)) static void find(void) {
    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
}

static int now(clockid_t id, struct timespec *t) {
    return next ? next(id, t) : (int)syscall(SYS_clock_gettime, id, t);
}

/* A signal handler may read the clock while we do: the time is one number, of one clock. */
__attribute__((noinline)) static int stand(struct ratmom_clock *c, clockid_t id,
                                           struct timespec *t) {
    int i = id != CLOCK_MONOTONIC;
    if (c->last[i].left) {
        int64_t at = __atomic_load_n(&c->last[i].at, __ATOMIC_RELAXED);
        c->last[i].left--;
        c->spared++;
        t->tv_sec = at / NS;
        t->tv_nsec = at % NS;
        return 0;
    }
    int rc = now(id, t);
    if (!rc) {
        __atomic_store_n(&c->last[i].at, t->tv_sec * NS + t->tv_nsec, __ATOMIC_RELAXED);
        c->last[i].left = USES;
    }
    return rc;
}

/* Weak: the program may have one of its own. */
__attribute__((weak)) int clock_gettime(clockid_t id, struct timespec *t) {
    struct ratmom_multi *m = ratmom_driving;
    if (m && m->clock.stands && (id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_RAW))
        return stand(&m->clock, id, t);
    return now(id, t);
}

#else
static int now(clockid_t id, struct timespec *t) { return clock_gettime(id, t); }
#endif

int64_t ratmom_now(void) {
    struct timespec t;
    now(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS + t.tv_nsec;
}

/* A call of libcurl begins. */
void ratmom_clock_begin(struct ratmom_multi *m) {
    m->clock.last[0].left = m->clock.last[1].left = 0;
    m->clock.stands = !m->clock.exact;
}

/* From here on it is read each time. */
static void need(struct ratmom_multi *m) {
    m->clock.exact++;
    m->clock.stands = 0;
}

void ratmom_clock_enter(struct ratmom_multi *m, const struct ratmom_req *r) {
    if (r->exact)
        need(m);
}

void ratmom_clock_leave(struct ratmom_multi *m, struct ratmom_req *r) {
    ratmom_clock_connected(r);
    m->clock.exact -= r->exact;
}

void ratmom_clock_connects(struct ratmom_req *r, int udp) {
    struct ratmom_multi *m = r->multi;
    if (!m)
        return;
    if (!r->connects)
        need(m);
    r->connects = 1;
    if (udp && !m->clock.udp)
        need(m);
    m->clock.udp |= udp;
}

void ratmom_clock_connected(struct ratmom_req *r) {
    if (r->connects)
        r->multi->clock.exact--;
    r->connects = 0;
}
