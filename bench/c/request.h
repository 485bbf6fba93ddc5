/* One request after the other, on one easy handle. */
#ifndef BENCH_REQUEST_H
#define BENCH_REQUEST_H

#include "args.h"
#include "loop.h"

struct request {
    CURL *easy;
    struct curl_slist *headers;
    const char *url;
    char head[1024];
    size_t head_len;
    char *body; /* reused: what comes is copied here and forgotten */
    size_t body_cap, body_off;
    uint64_t received;
    uint64_t to_send, left; /* of the upload */
    int64_t begin;
    const char *set_for; /* tuned: the URL that the handle is set up for */
};

void request_open(struct request *r, size_t body_cap);
void request_close(struct request *r);
/* Sets the handle up and adds it to the loop. */
void request_start(struct loop *l, struct request *r, const struct args *a);

#endif
