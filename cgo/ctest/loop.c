/* The loop without Go: what an agent does, in C, so that valgrind sees every
 * access and every block. Usage: loop [HTTPS-URL], the URL of a server that
 * speaks HTTP/2 and has /big. A forked child serves the rest. */
#include "../ratmom.h"
#include "beside.h"
#include "server.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* ---- options, packed as Go packs them --------------------------------------- */

static unsigned char ops[8192];
static size_t nops;

static void put(uint32_t kind, CURLoption opt, const void *p, uint32_t size, uint32_t n) {
    uint32_t h[4] = {kind, (uint32_t)opt, size, n};
    memcpy(ops + nops, h, sizeof(h));
    memcpy(ops + nops + sizeof(h), p, size);
    nops += sizeof(h) + ((size + 7) & ~7u);
    CHECK(nops < sizeof(ops));
}

static void set_long(CURLoption opt, int64_t v) { put(RATMOM_OP_LONG, opt, &v, 8, 0); }
static void set_offt(CURLoption opt, int64_t v) { put(RATMOM_OP_OFFT, opt, &v, 8, 0); }
static void set_string(CURLoption opt, const char *s) {
    put(RATMOM_OP_STRING, opt, s, (uint32_t)strlen(s) + 1, 0);
}
static void set_list1(CURLoption opt, const char *s) {
    unsigned char b[512];
    uint32_t n = (uint32_t)strlen(s);
    memcpy(b, &n, 4);
    memcpy(b + 4, s, n + 1);
    put(RATMOM_OP_LIST, opt, b, 4 + n + 1, 1);
}

void ratmom_beat(void) {}

/* ---- what an agent does ------------------------------------------------------ */

static struct ratmom_multi *m;

struct run {
    struct ratmom_req *r;
    uint32_t seen;
    uint64_t body;
    int done, hold; /* hold: do not consume */
    struct ratmom_chunk *held;
};

static struct run runs[64];
static uint32_t nruns, nadds;

static struct run *begin(const char *url, size_t high_water) {
    CURL *easy = curl_easy_init();
    CHECK(easy && nruns < 64);
    struct run *run = &runs[nruns];
    memset(run, 0, sizeof(*run));
    run->r = ratmom_req_new(easy);
    CHECK(run->r);
    run->r->slot = nruns++;
    run->r->high_water = high_water;
    run->r->max_head = 1 << 20;
    run->r->want_info = 1;
    run->r->debug_on = nruns % 2;
    nops = 0;
    set_string(CURLOPT_URL, url);
    set_string(CURLOPT_PROXY, "");
    set_long(CURLOPT_SSL_VERIFYPEER, 0);
    set_long(CURLOPT_SSL_VERIFYHOST, 0);
    set_list1(CURLOPT_HTTPHEADER, "X-Test: 1");
    return run;
}

static void go(struct run *run) {
    int bad = 0;
    CHECK(ratmom_req_setup(run->r, ops, nops, 0, &bad) == 0);
    m->adds[nadds++] = run->r;
}

static void consume(struct run *run) {
    for (struct ratmom_chunk *c = run->held; c; c = c->next) {
        run->body += c->len;
        __atomic_sub_fetch(&run->r->buffered, (int64_t)c->len, __ATOMIC_RELAXED);
    }
    ratmom_chunk_put(run->held);
    run->held = NULL;
}

static uint32_t events(void) {
    uint32_t n = m->nevents;
    for (uint32_t i = 0; i < m->nevents; i++) {
        struct ratmom_req *r = m->events[i];
        if (!r || !r->events)
            continue;
        struct run *run = &runs[r->slot];
        run->seen |= r->events;
        run->done |= (r->events & RATMOM_EV_DONE) != 0;
        r->events = 0;
        r->debug.len = r->info.len = 0;
        if (r->body_first) {
            struct ratmom_chunk **at = &run->held;
            while (*at)
                at = &(*at)->next;
            *at = r->body_first;
            r->body_first = r->body_last = NULL;
            r->body_new = 0;
        }
        if (!run->hold || run->done) {
            consume(run);
            if (r->recv_paused)
                ratmom_unpause(r, 1, 0);
        }
    }
    m->nevents = 0;
    CHECK(!m->multi_code);
    return n;
}

static void step(void) {
    for (int more = ratmom_step(m, (int)nadds, INT64_MAX, 1); more;)
        more = ratmom_step_on(m);
    nadds = 0;
    beside_check();
    if (events() || m->nready || m->nevents || m->deadline < m->armed || m->mend < m->armed)
        return;
    struct pollfd p = {m->epfd, POLLIN, 0};
    CHECK(poll(&p, 1, 60000) >= 0);
}

static void until_done(struct run *run) {
    while (!run->done)
        step();
}

static void release(struct run *run) {
    ratmom_chunk_put(run->held);
    CURL *easy = run->r->easy;
    curl_easy_cleanup(easy);
    ratmom_req_free(run->r);
    memset(run, 0, sizeof(*run));
    if (run == &runs[nruns - 1])
        nruns--;
}

static void cancel(struct run *run) {
    ratmom_cancel(m, run->r);
    for (uint32_t i = 0; i < m->nevents; i++)
        if (m->events[i] == run->r)
            m->events[i] = NULL;
    release(run);
}

/* ---- a kernel that refuses ---------------------------------------------------- */

static int refusals, refused;
int __real_epoll_ctl(int ep, int op, int fd, struct epoll_event *ev);
int __wrap_epoll_ctl(int ep, int op, int fd, struct epoll_event *ev) {
    if (refusals > 0 && op == EPOLL_CTL_ADD) {
        refusals--;
        refused++;
        errno = ENOSPC;
        return -1;
    }
    return __real_epoll_ctl(ep, op, fd, ev);
}

/* ---- the tests ----------------------------------------------------------------- */

static char base[64];
static const char *url(const char *path) {
    static char u[256];
    snprintf(u, sizeof(u), "%s%s", base, path);
    return u;
}

static void gets(const char *u, int n) {
    struct run *all[16];
    for (int i = 0; i < n; i++)
        go(all[i] = begin(u, 1 << 20));
    for (int i = 0; i < n; i++) {
        until_done(all[i]);
        CHECK(all[i]->r->result == 0 && all[i]->r->status == 200 && all[i]->body > 0);
    }
    for (int i = n; i-- > 0;)
        release(all[i]);
}

static void post_memory(const char *u, size_t size, int copy) {
    unsigned char *p = malloc(size);
    memset(p, 'm', size);
    struct run *run = begin(u, 1 << 20);
    if (copy) {
        CHECK(ratmom_req_body(run->r, p, size) == 0);
    } else {
        run->r->upload_kind = RATMOM_UP_MEMORY;
        run->r->mem = p;
        run->r->mem_len = size;
        set_long(CURLOPT_UPLOAD, 1);
        set_offt(CURLOPT_INFILESIZE_LARGE, (int64_t)size);
    }
    go(run);
    until_done(run);
    CHECK(run->r->result == 0 && run->r->status == 200);
    release(run);
    free(p);
}

static void post_ring(const char *u, size_t size, int trailers) {
    struct run *run = begin(u, 1 << 20);
    struct ratmom_req *r = run->r;
    CHECK(ratmom_req_ring(r, 4096) == 0);
    r->upload_kind = RATMOM_UP_RING;
    r->ring_total = r->ring_left = -1;
    r->has_trailers = (uint32_t)trailers;
    set_long(CURLOPT_UPLOAD, 1);
    set_offt(CURLOPT_INFILESIZE_LARGE, -1);
    go(run);
    while (!run->done) {
        uint64_t room = r->ring_cap - (r->ring_tail - r->ring_head);
        uint64_t n = size < room ? size : room;
        if (n > 1000)
            n = 1000;
        for (uint64_t i = 0; i < n; i++)
            r->ring[(r->ring_tail + i) & (r->ring_cap - 1)] = 'r';
        r->ring_tail += n;
        size -= n;
        if (!size && !r->ring_eof) {
            if (trailers) {
                unsigned char item[] = "\5\0\0\0T: ok";
                CHECK(ratmom_req_trailers(r, item, sizeof(item), 1) == 0);
            }
            r->ring_eof = 1;
        }
        if (r->send_paused)
            ratmom_unpause(r, 0, 1);
        step();
    }
    CHECK(r->result == 0 && r->status == 200);
    release(run);
}

static void pause_and_go_on(const char *u) {
    struct run *run = begin(u, 20000);
    run->hold = 1;
    go(run);
    int pauses = 0;
    while (!run->done) {
        step();
        if (run->r->recv_paused) {
            pauses++;
            consume(run);
            ratmom_unpause(run->r, 1, 0);
        }
    }
    CHECK(run->r->result == 0 && run->body == BIG && pauses > 2);
    release(run);
}

static void cancel_when(const char *u, uint32_t seen, size_t high_water) {
    struct run *run = begin(u, high_water);
    run->hold = 1;
    go(run);
    step();
    while (!(run->seen & seen) && !(seen == 0 && run->r->prereqs))
        step();
    cancel(run);
    CHECK(m->nlive == 0);
}

static void refused_changes(void) {
    refusals = 3;
    refused = 0;
    struct run *run = begin(url("/small"), 1 << 20);
    set_long(CURLOPT_FRESH_CONNECT, 1);
    go(run);
    until_done(run);
    CHECK(run->r->result == 0 && refused == 3);
    release(run);
}

int main(int argc, char **argv) {
    int port;
    pid_t child = serve(&port);
    snprintf(base, sizeof(base), "http://127.0.0.1:%d", port);
    curl_global_init(CURL_GLOBAL_ALL);
    m = ratmom_multi_new();
    CHECK(m);
    beside_begin();
    refused_changes();
    for (int round = 0; round < 2; round++) {
        gets(url("/small"), 1);
        gets(url("/small"), 8);
        gets(url("/big"), 2);
        gets(url("/close"), 2);
        post_memory(url("/echo"), 10, 1);
        post_memory(url("/echo"), 300000, 0);
        post_ring(url("/echo"), 50000, 0);
        post_ring(url("/echo"), 5000, 1);
        pause_and_go_on(url("/big"));
        cancel_when(url("/silent"), 0, 1 << 20);
        cancel_when(url("/hang"), RATMOM_EV_HEAD, 1 << 20);
        cancel_when(url("/big"), RATMOM_EV_PAUSED, 20000);
    }
    gets(url("/small"), 4);
    CHECK(ratmom_close_idle(m) > 0);
    gets(url("/small"), 1);
    if (argc > 1) {
        char big[256];
        snprintf(big, sizeof(big), "%s/big", argv[1]);
        gets(big, 8);
        pause_and_go_on(big);
        cancel_when(big, RATMOM_EV_PAUSED, 20000);
        gets(big, 2);
        struct run *beside = begin(big, 1 << 20), *paused = begin(big, 20000);
        paused->hold = 1;
        go(paused);
        go(beside);
        until_done(beside);
        CHECK(beside->r->result == 0 && beside->body == BIG);
        ratmom_cancel(m, paused->r);
        m->nevents = 0;
        release(paused);
        release(beside);
    }
    beside_end();
    ratmom_multi_free(m);
    ratmom_chunk_trim();
    struct ratmom_counts c;
    ratmom_counts_get(&c);
    CHECK(c.transfers == 0 && c.multis == 0 && c.chunk_bytes == 0);
    curl_global_cleanup();
    kill(child, SIGKILL);
    printf("ok: %d transfers%s\n", (int)c.easy_adds, argc > 1 ? ", HTTP/2 too" : "");
    return 0;
}
