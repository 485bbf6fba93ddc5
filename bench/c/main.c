/* cpeer: the rows of the benchmark in pure C. See ../README.md. */
#define _GNU_SOURCE
#include "loop.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

struct args {
    const char *url, *ca, *warm_url;
    long requests, warmup, buffer;
    int inflight, lazy, http2;
};

struct request {
    CURL *easy;
    struct curl_slist *headers;
    const char *url;
    char head[1024];
    size_t head_len;
    char *body; /* reused: what comes is copied here and forgotten */
    size_t body_cap, body_off;
    uint64_t received;
};

static size_t on_head(char *p, size_t size, size_t n, void *user) {
    struct request *r = user;
    n *= size;
    if (n <= sizeof(r->head) - r->head_len) {
        memcpy(r->head + r->head_len, p, n);
        r->head_len += n;
    }
    return n;
}

static size_t on_body(char *p, size_t size, size_t n, void *user) {
    struct request *r = user;
    n *= size;
    for (size_t left = n; left;) {
        size_t room = r->body_cap - r->body_off, take = left < room ? left : room;
        memcpy(r->body + r->body_off, p, take);
        r->body_off = (r->body_off + take) % r->body_cap;
        p += take;
        left -= take;
    }
    r->received += n;
    return n;
}

/* Everything is set for each request, as a client must whose callers may want
 * something else every time. */
static void prepare(struct loop *l, struct request *r, const struct args *a) {
    CURL *e = r->easy;
    r->head_len = 0;
    r->received = 0;
    curl_easy_reset(e);
    curl_easy_setopt(e, CURLOPT_URL, r->url);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(e, CURLOPT_PRIVATE, r);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION,
                     a->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1);
    if (a->http2)
        curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    if (a->buffer)
        curl_easy_setopt(e, CURLOPT_BUFFERSIZE, a->buffer);
    if (a->ca)
        curl_easy_setopt(e, CURLOPT_CAINFO, a->ca);
    if (a->lazy) {
        curl_easy_setopt(e, CURLOPT_PROXY, "");
        loop_own_sockets(l, e);
    }
}

static void start(struct loop *l, struct request *r, const struct args *a) {
    prepare(l, r, a);
    if (curl_multi_add_handle(l->multi, r->easy) != CURLM_OK)
        die("curl_multi_add_handle");
}

struct mark {
    int64_t wall;
    double user, sys;
    uint64_t waits, ctls;
};

static double seconds(struct timeval t) { return (double)t.tv_sec + (double)t.tv_usec / 1e6; }

static struct mark mark(const struct loop *l) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (struct mark){loop_now(), seconds(u.ru_utime), seconds(u.ru_stime), l->waits, l->ctls};
}

/* Runs n requests, as many at once as there are in rs, and returns the body
 * bytes received. */
static uint64_t run(struct loop *l, struct request *rs, const struct args *a, long n) {
    long started = 0, ended = 0;
    uint64_t bytes = 0;
    while (started < n && started < a->inflight)
        start(l, &rs[started++], a);
    while (ended < n) {
        CURLMsg *m;
        int left;
        loop_turn(l);
        while ((m = curl_multi_info_read(l->multi, &left))) {
            struct request *r;
            long status = 0;
            CURLcode rc = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
            curl_easy_getinfo(m->easy_handle, CURLINFO_RESPONSE_CODE, &status);
            curl_multi_remove_handle(l->multi, r->easy);
            if (rc != CURLE_OK || status != 200) {
                long os = 0;
                curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os);
                fprintf(stderr, "cpeer: %s: status %ld: %s (%s)\n", r->url, status,
                        curl_easy_strerror(rc), strerror((int)os));
                exit(1);
            }
            bytes += r->received;
            ended++;
            if (started < n) {
                started++;
                start(l, r, a);
            }
        }
    }
    return bytes;
}

static long peak_rss_kb(void) {
    char line[256];
    long kb = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof(line), f))
        if (sscanf(line, "VmHWM: %ld kB", &kb) == 1)
            break;
    if (f)
        fclose(f);
    return kb;
}

static void usage(void) {
    fputs("usage: cpeer --url URL [--requests N] [--inflight K] [--warmup N] [--warm-url URL]\n"
          "             [--lazy] [--http2] [--buffer BYTES] [--ca FILE]\n",
          stderr);
    exit(2);
}

static struct args parse(int argc, char **argv) {
    static const struct option options[] = {
        {"url", required_argument, 0, 'u'},      {"warm-url", required_argument, 0, 'U'},
        {"requests", required_argument, 0, 'n'}, {"inflight", required_argument, 0, 'k'},
        {"warmup", required_argument, 0, 'w'},   {"buffer", required_argument, 0, 'b'},
        {"ca", required_argument, 0, 'c'},       {"lazy", no_argument, 0, 'l'},
        {"http2", no_argument, 0, '2'},          {0, 0, 0, 0}};
    struct args a = {.requests = 1, .inflight = 1};
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 'u':
            a.url = optarg;
            break;
        case 'U':
            a.warm_url = optarg;
            break;
        case 'n':
            a.requests = atol(optarg);
            break;
        case 'k':
            a.inflight = atoi(optarg);
            break;
        case 'w':
            a.warmup = atol(optarg);
            break;
        case 'b':
            a.buffer = atol(optarg);
            break;
        case 'c':
            a.ca = optarg;
            break;
        case 'l':
            a.lazy = 1;
            break;
        case '2':
            a.http2 = 1;
            break;
        default:
            usage();
        }
    }
    if (!a.url || a.requests < 1 || a.inflight < 1)
        usage();
    if (!a.warm_url)
        a.warm_url = a.url;
    return a;
}

int main(int argc, char **argv) {
    struct args a = parse(argc, argv);
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) { /* as Go's runtime does */
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (curl_global_init(CURL_GLOBAL_ALL))
        die("curl_global_init");
    struct loop l;
    loop_open(&l, a.lazy);
    /* As many idle connections as run at once, or each would be closed again. */
    curl_multi_setopt(l.multi, CURLMOPT_MAXCONNECTS, (long)a.inflight + 8);

    struct request *rs = calloc((size_t)a.inflight, sizeof(*rs));
    size_t body_cap = a.inflight > 1 ? 1024 : 64 * 1024;
    if (!rs)
        die("calloc");
    for (int i = 0; i < a.inflight; i++) {
        rs[i].easy = curl_easy_init();
        rs[i].body = malloc(body_cap);
        rs[i].body_cap = body_cap;
        rs[i].url = a.warm_url;
        rs[i].headers = curl_slist_append(NULL, "Accept: */*");
        rs[i].headers = curl_slist_append(rs[i].headers, "User-Agent: bench");
        if (!rs[i].easy || !rs[i].body || !rs[i].headers)
            die("out of memory");
    }
    if (a.warmup)
        run(&l, rs, &a, a.warmup);
    for (int i = 0; i < a.inflight; i++)
        rs[i].url = a.url;

    struct mark m0 = mark(&l);
    uint64_t bytes = run(&l, rs, &a, a.requests);
    struct mark m1 = mark(&l);
    printf(
        "{\"requests\":%ld,\"bytes\":%llu,\"wall\":%.6f,\"user\":%.6f,\"sys\":%.6f,"
        "\"peak_rss_kb\":%ld,\"epoll_wait\":%llu,\"epoll_ctl\":%llu,\"version\":\"libcurl %s\"}\n",
        a.requests, (unsigned long long)bytes, (double)(m1.wall - m0.wall) / 1e9, m1.user - m0.user,
        m1.sys - m0.sys, peak_rss_kb(), (unsigned long long)(m1.waits - m0.waits),
        (unsigned long long)(m1.ctls - m0.ctls), curl_version_info(CURLVERSION_NOW)->version);

    for (int i = 0; i < a.inflight; i++) {
        curl_easy_cleanup(rs[i].easy);
        curl_slist_free_all(rs[i].headers);
        free(rs[i].body);
    }
    free(rs);
    loop_close(&l);
    curl_global_cleanup();
    return 0;
}
