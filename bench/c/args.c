#include "args.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static void usage(void) {
    fputs("usage: cpeer --url URL [--requests N] [--inflight K] [--warmup N] [--warm-url URL]\n"
          "             [--upload BYTES] [--lazy | --tuned] [--http2 | --http3] [--fresh]\n"
          "             [--cold] [--buffer BYTES] [--naps MICROSECONDS] [--ca FILE]\n"
          "       cpeer --can-http3 | --version\n",
          stderr);
    exit(2);
}

struct args args_parse(int argc, char **argv) {
    struct args a = {.requests = 1, .inflight = 1};
    const struct option options[] = {
        {"url", required_argument, 0, 'u'},
        {"warm-url", required_argument, 0, 'U'},
        {"requests", required_argument, 0, 'n'},
        {"inflight", required_argument, 0, 'k'},
        {"warmup", required_argument, 0, 'w'},
        {"upload", required_argument, 0, 'p'},
        {"buffer", required_argument, 0, 'b'},
        {"naps", required_argument, 0, 's'},
        {"ca", required_argument, 0, 'c'},
        {"lazy", no_argument, &a.lazy, 1},
        {"tuned", no_argument, &a.tuned, 1},
        {"http2", no_argument, &a.http2, 1},
        {"http3", no_argument, &a.http3, 1},
        {"fresh", no_argument, &a.fresh, 1},
        {"cold", no_argument, &a.cold, 1},
        {"can-http3", no_argument, &a.can_http3, 1},
        {"version", no_argument, &a.version, 1},
        /* What the Go peers know, too, and means nothing here. */
        {"watch", no_argument, 0, 0},
        {"stream", no_argument, 0, 0},
        {0, 0, 0, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (c) {
        case 0:
            break;
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
        case 'p':
            a.upload = atoll(optarg);
            break;
        case 'b':
            a.buffer = atol(optarg);
            break;
        case 's':
            a.naps = atol(optarg);
            break;
        case 'c':
            a.ca = optarg;
            break;
        default:
            usage();
        }
    }
    if (a.can_http3 || a.version)
        return a;
    if (!a.url || a.requests < 1 || a.inflight < 1)
        usage();
    if (!a.warm_url)
        a.warm_url = a.url;
    a.lazy |= a.tuned;
    return a;
}
