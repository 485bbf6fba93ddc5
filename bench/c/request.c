#include "request.h"

#include <stdlib.h>
#include <string.h>

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

static size_t on_send(char *p, size_t size, size_t n, void *user) {
    struct request *r = user;
    n *= size;
    if (n > r->left)
        n = (size_t)r->left;
    memset(p, 0, n);
    r->left -= n;
    return n;
}

static long version(const struct args *a) {
    if (a->http3)
        return 31; /* CURL_HTTP_VERSION_3ONLY, which 7.88's headers may lack */
    return a->http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1;
}

/* The URL as libcurl reads it: made once, copied for each transfer. Two URLs are
 * all that a run has. */
static CURLU *parsed(const char *url) {
    static const char *text[2];
    static CURLU *made[2];
    int i = text[0] && text[0] != url;
    if (text[i] == url)
        return made[i];
    text[i] = url;
    made[i] = curl_url();
    if (!made[i] || curl_url_set(made[i], CURLUPART_URL, url, 0))
        die(url);
    return made[i];
}

static void set(struct loop *l, struct request *r, const struct args *a) {
    CURL *e = r->easy;
    curl_easy_reset(e);
    if (a->tuned)
        curl_easy_setopt(e, CURLOPT_CURLU, parsed(r->url));
    else
        curl_easy_setopt(e, CURLOPT_URL, r->url);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, r->headers);
    curl_easy_setopt(e, CURLOPT_PRIVATE, r);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, version(a));
    if (a->http2 || a->http3)
        curl_easy_setopt(e, CURLOPT_PIPEWAIT, 1L);
    if (a->buffer)
        curl_easy_setopt(e, CURLOPT_BUFFERSIZE, a->buffer);
    if (a->ca)
        curl_easy_setopt(e, CURLOPT_CAINFO, a->ca);
    /* libcurl keeps what it has read of a file between connections, but not of a
     * directory, and has one by default: it would read both for each connection. */
    if (a->ca && a->tuned)
        curl_easy_setopt(e, CURLOPT_CAPATH, NULL);
    if (a->fresh) {
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(e, CURLOPT_FORBID_REUSE, 1L);
    }
    if (r->to_send) {
        curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->to_send);
        curl_easy_setopt(e, CURLOPT_READFUNCTION, on_send);
        curl_easy_setopt(e, CURLOPT_READDATA, r);
    }
    if (a->lazy) {
        curl_easy_setopt(e, CURLOPT_PROXY, "");
        loop_own_sockets(l, e);
    }
}

void request_start(struct loop *l, struct request *r, const struct args *a) {
    r->begin = loop_now();
    r->head_len = 0;
    r->received = 0;
    r->left = r->to_send;
    /* Untuned, everything is set for each request, as a client must whose callers
     * may want something else every time. */
    if (!a->tuned || r->set_for != r->url)
        set(l, r, a);
    r->set_for = r->url;
    if (curl_multi_add_handle(l->multi, r->easy) != CURLM_OK)
        die("curl_multi_add_handle");
    l->added++;
}

void request_open(struct request *r, size_t body_cap) {
    r->easy = curl_easy_init();
    r->body = malloc(body_cap);
    r->body_cap = body_cap;
    r->headers = curl_slist_append(NULL, "Accept: */*");
    r->headers = curl_slist_append(r->headers, "User-Agent: bench");
    r->headers = curl_slist_append(r->headers, "Expect:");
    if (!r->easy || !r->body || !r->headers)
        die("out of memory");
}

void request_close(struct request *r) {
    curl_easy_cleanup(r->easy);
    curl_slist_free_all(r->headers);
    free(r->body);
}
