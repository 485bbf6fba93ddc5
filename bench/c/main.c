/* cpeer: the rows of the benchmark in pure C. See ../README.md. */
#define _GNU_SOURCE
#include "alloc.h"
#include "args.h"
#include "latency.h"
#include "loop.h"
#include "naps.h"
#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define BATCH 64 /* requests begun between two looks at the sockets */

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

static void ended(struct request *r, CURLcode rc) {
    long status = 0, os = 0;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    if (rc == CURLE_OK && status == 200)
        return;
    curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &os);
    fprintf(stderr, "cpeer: %s: status %ld: %s (%s)\n", r->url, status, curl_easy_strerror(rc),
            strerror((int)os));
    exit(1);
}

/* Runs n requests, as many at once as there are in rs, and returns the body
 * bytes received or, of uploads, sent. */
static uint64_t run(struct loop *l, struct request *rs, const struct args *a, long n,
                    struct latencies *latencies) {
    long started = 0, done = 0;
    uint64_t bytes = 0;
    while (done < n) {
        CURLMsg *m;
        int left;
        /* A few at a time: thousands at once would each open a connection, also
         * where streams of one would do. */
        for (int i = 0; i < BATCH && started < n && started < a->inflight; i++)
            request_start(l, &rs[started++], a);
        loop_turn(l);
        while ((m = curl_multi_info_read(l->multi, &left))) {
            struct request *r;
            CURLcode rc = m->data.result;
            curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &r);
            curl_multi_remove_handle(l->multi, r->easy);
            ended(r, rc);
            latency_add(latencies, loop_now() - r->begin);
            bytes += r->to_send ? r->to_send : r->received;
            done++;
            if (started < n) {
                started++;
                request_start(l, r, a);
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

int main(int argc, char **argv) {
    static struct latencies warm, measured;
    struct args a = args_parse(argc, argv);
    struct rlimit files;
    struct loop l = {0};
    if (a.can_http3)
        return !(curl_version_info(CURLVERSION_NOW)->features & CURL_VERSION_HTTP3);
    if (a.version)
        return puts(curl_version()) < 0;
    if (!getrlimit(RLIMIT_NOFILE, &files)) { /* as Go's runtime does */
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    if (a.naps > 0)
        naps_begin(a.naps);
    struct mark m0 = mark(&l);
    if (a.tuned ? alloc_init() : (int)curl_global_init(CURL_GLOBAL_ALL))
        die("curl_global_init");
    loop_open(&l, a.lazy);
    l.cork = a.tuned && a.http2;
    /* As many idle connections as run at once, or each would be closed again. */
    curl_multi_setopt(l.multi, CURLMOPT_MAXCONNECTS, (long)a.inflight + 8);

    struct request *rs = calloc((size_t)a.inflight, sizeof(*rs));
    if (!rs)
        die("calloc");
    for (int i = 0; i < a.inflight; i++) {
        request_open(&rs[i], a.inflight > 1 ? 1024 : 64 * 1024);
        rs[i].url = a.warm_url;
    }
    if (a.warmup)
        run(&l, rs, &a, a.warmup, &warm);
    for (int i = 0; i < a.inflight; i++) {
        rs[i].url = a.url;
        rs[i].to_send = (uint64_t)a.upload;
        rs[i].set_for = NULL;
    }

    if (!a.cold)
        m0 = mark(&l);
    uint64_t bytes = run(&l, rs, &a, a.requests, &measured);
    struct mark m1 = mark(&l);
    printf(
        "{\"requests\":%ld,\"bytes\":%llu,\"wall\":%.6f,\"user\":%.6f,\"sys\":%.6f,"
        "\"p50\":%.3f,\"p99\":%.3f,"
        "\"peak_rss_kb\":%ld,\"epoll_wait\":%llu,\"epoll_ctl\":%llu,\"version\":\"libcurl %s\"}\n",
        a.requests, (unsigned long long)bytes, (double)(m1.wall - m0.wall) / 1e9, m1.user - m0.user,
        m1.sys - m0.sys, latency_percentile(&measured, 0.5), latency_percentile(&measured, 0.99),
        peak_rss_kb(), (unsigned long long)(m1.waits - m0.waits),
        (unsigned long long)(m1.ctls - m0.ctls), curl_version_info(CURLVERSION_NOW)->version);

    for (int i = 0; i < a.inflight; i++)
        request_close(&rs[i]);
    free(rs);
    loop_close(&l);
    curl_global_cleanup();
    return 0;
}
