/* A transfer's memory and its options. */
#include "sockets.h"

#include <stdlib.h>
#include <string.h>

struct ratmom_req *ratmom_req_new(CURL *easy) {
    struct ratmom_req *r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->easy = easy;
    r->fd = r->tunnel_fd = -1;
    ratmom_count_transfer(1);
    return r;
}

static void owned_free(struct ratmom_req *r) {
    for (uint32_t i = 0; i < r->nowned; i++)
        free(r->owned[i]);
    r->nowned = 0;
}

/* Makes p live until the reset. */
static int own(struct ratmom_req *r, void *p) {
    if (r->nowned == r->cap_owned) {
        uint32_t cap = r->cap_owned ? r->cap_owned * 2 : 4;
        void **o = realloc(r->owned, cap * sizeof(*o));
        if (!o) {
            free(p);
            return -1;
        }
        r->owned = o;
        r->cap_owned = cap;
    }
    r->owned[r->nowned++] = p;
    return 0;
}

/* The version of the libcurl at work, as in 0x075801. */
unsigned ratmom_version(void) {
    static unsigned version;
    unsigned v = __atomic_load_n(&version, __ATOMIC_RELAXED);
    if (!v) {
        v = curl_version_info(CURLVERSION_NOW)->version_num;
        __atomic_store_n(&version, v, __ATOMIC_RELAXED);
    }
    return v;
}

/* Buffers that grew beyond this are not kept by a pooled transfer. */
#define KEEP_BUF (16 * 1024)

static void buf_reset(struct ratmom_buf *b) {
    b->len = 0;
    if (b->cap > KEEP_BUF) {
        free(b->p);
        b->p = NULL;
        b->cap = 0;
    }
}

static void buf_free(struct ratmom_buf *b) {
    free(b->p);
    memset(b, 0, sizeof(*b));
}

/* Forgets everything of the last request. The easy handle itself is reset by
 * go-curl's Reset before the next setup. */
void ratmom_req_reset(struct ratmom_req *r, int keep_options) {
    r->ran |= r->multi != NULL;
    ratmom_relay_free(r);
    if (r->loud)
        curl_easy_setopt(r->easy, CURLOPT_VERBOSE, 0L);
    owned_free(r);
    if (!keep_options) {
        free(r->headers);
        r->headers = NULL;
    }
    ratmom_chunk_put(r->body_first);
    free(r->ring);
    curl_slist_free_all(r->trailers);
    buf_reset(&r->head);
    buf_reset(&r->info);
    buf_reset(&r->trailer);
    buf_free(&r->debug);
    buf_free(&r->certs);
    struct ratmom_req keep = *r;
    /* From the first field to the buffers and from there on: all but memory
     * that is kept. */
    memset(r, 0, sizeof(*r));
    r->lowat.at = RATMOM_LOWAT_FIRST;
    r->easy = keep.easy;
    r->head = keep.head;
    r->info = keep.info;
    r->trailer = keep.trailer;
    r->headers = keep.headers;
    r->owned = keep.owned;
    r->cap_owned = keep.cap_owned;
    r->buf_size = keep.buf_size;
    r->stained = keep.stained;
    r->ran = keep.ran;
    r->closer = keep.closer;
    r->proxy = keep.proxy;
    r->elsewhere = keep.elsewhere;
    r->fresh = keep.fresh;
    r->pipewait = keep.pipewait;
    r->forbid = keep.forbid;
    r->tos = keep.tos;
    r->dials = keep.dials;
    r->fd = r->tunnel_fd = -1;
}

void ratmom_req_free(struct ratmom_req *r) {
    ratmom_req_reset(r, 0);
    buf_free(&r->head);
    buf_free(&r->info);
    buf_free(&r->trailer);
    free(r->owned);
    free(r);
    ratmom_count_transfer(-1);
}

/* One block holds the nodes and the strings of a list. */
static struct curl_slist *list_make(const unsigned char *p, uint32_t size, uint32_t n) {
    unsigned char *block = malloc(n * sizeof(struct curl_slist) + size);
    if (!block)
        return NULL;
    struct curl_slist *node = (struct curl_slist *)block;
    char *text = (char *)(node + n);
    const unsigned char *end = p + size;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t len;
        if (end - p < 4)
            goto bad;
        memcpy(&len, p, 4);
        p += 4;
        if ((uint64_t)(end - p) < (uint64_t)len + 1)
            goto bad;
        memcpy(text, p, len + 1);
        node[i].data = text;
        node[i].next = i + 1 < n ? &node[i + 1] : NULL;
        text += len + 1;
        p += len + 1;
    }
    return node;
bad:
    free(block);
    return NULL;
}

#define DEFAULT_BUFFER (16 * 1024) /* CURLOPT_BUFFERSIZE's */

int ratmom_req_reusable(const struct ratmom_req *r) {
    return !r->stained && (!r->buf_size || r->buf_size >= DEFAULT_BUFFER);
}

/* Whether curl_easy_reset keeps what the option brings in. */
static int stains(CURLoption opt) {
    switch ((int)opt) {
    case CURLOPT_SHARE:
    case CURLOPT_COOKIEFILE:
    case CURLOPT_COOKIEJAR:
    case CURLOPT_COOKIELIST:
    case CURLOPT_ALTSVC:
    case CURLOPT_ALTSVC_CTRL:
    case CURLOPT_HSTS:
    case CURLOPT_HSTS_CTRL:
    case CURLOPT_DNS_SERVERS: /* of c-ares' channel */
    case CURLOPT_DNS_INTERFACE:
    case CURLOPT_DNS_LOCAL_IP4:
    case CURLOPT_DNS_LOCAL_IP6:
    case CURLOPT_CONNECT_ONLY: /* not that, but the number of its connection */
        return 1;
    }
    return 0;
}

static int set_one(struct ratmom_req *r, uint32_t kind, CURLoption opt, const unsigned char *p,
                   uint32_t size, uint32_t n) {
    if (kind != RATMOM_OP_NULL && stains(opt))
        r->stained = 1;
    switch (kind) {
    case RATMOM_OP_LONG: {
        int64_t v;
        memcpy(&v, p, 8);
        if (opt == CURLOPT_SOCKOPTDATA) { /* for us, see sockets.c */
            r->tos = (uint32_t)v;
            return 0;
        }
        if (opt == CURLOPT_OPENSOCKETDATA) { /* likewise, see dial.c */
            ratmom_dial_use(r);
            return 0;
        }
        if (opt == CURLOPT_FRESH_CONNECT)
            r->fresh = v != 0;
        else if (opt == CURLOPT_FORBID_REUSE)
            r->forbid = v != 0;
        else if (opt == CURLOPT_PIPEWAIT)
            r->pipewait = v != 0;
        int rc = curl_easy_setopt(r->easy, opt, (long)v);
        if (opt == CURLOPT_BUFFERSIZE) {
            /* 7.88.1 keeps the buffer of a transfer that left a shared
             * connection, refuses to resize it, and assumes the default size
             * from then on, which is safe as long as the buffer is no smaller. */
            if (!rc)
                r->buf_size = v;
            else if (r->buf_size >= DEFAULT_BUFFER)
                rc = 0;
        }
        return rc;
    }
    case RATMOM_OP_OFFT: {
        int64_t v;
        memcpy(&v, p, 8);
        return curl_easy_setopt(r->easy, opt, (curl_off_t)v);
    }
    case RATMOM_OP_STRING:
        if (opt == CURLOPT_PROXY)
            ratmom_lookup_proxy(r, (const char *)p);
        else if (opt == CURLOPT_PRE_PROXY)
            r->elsewhere = 1;
        return curl_easy_setopt(r->easy, opt, (const char *)p);
    case RATMOM_OP_NULL:
        return curl_easy_setopt(r->easy, opt, NULL);
    case RATMOM_OP_LIST: {
        struct curl_slist *list = NULL;
        if (n && !(list = list_make(p, size, n)))
            return CURLE_OUT_OF_MEMORY;
        if (opt == CURLOPT_CONNECT_TO && n)
            r->elsewhere = 1;
        if (opt == CURLOPT_HTTPHEADER) {
            free(r->headers);
            r->headers = list;
        } else if (list && own(r, list)) {
            return CURLE_OUT_OF_MEMORY;
        }
        return curl_easy_setopt(r->easy, opt, list);
    }
    case RATMOM_OP_POINTER: {
        uint64_t v;
        memcpy(&v, p, 8);
        return curl_easy_setopt(r->easy, opt, (void *)(uintptr_t)v);
    }
    case RATMOM_OP_BLOB: {
        struct curl_blob b = {(void *)p, size, CURL_BLOB_COPY};
        return curl_easy_setopt(r->easy, opt, &b);
    }
    }
    return CURLE_UNKNOWN_OPTION;
}

int ratmom_req_setup(struct ratmom_req *r, const unsigned char *ops, size_t len, int warm,
                     int *bad_option) {
    const unsigned char *end = ops + len;
    if (!warm) {
        r->fresh = r->forbid = r->pipewait = r->tos = r->dials =
            0; /* until the options say otherwise */
        ratmom_baseline(r);
        r->closer = NULL;
    }
    while (end - ops >= 16) {
        uint32_t h[4];
        memcpy(h, ops, sizeof(h));
        ops += sizeof(h);
        int rc = CURLE_BAD_FUNCTION_ARGUMENT;
        uint32_t padded = (h[2] + 7) & ~7u;
        if ((size_t)(end - ops) >= padded)
            rc = set_one(r, h[0], (CURLoption)h[1], ops, h[2], h[3]);
        if (rc) {
            *bad_option = (int)h[1];
            return rc;
        }
        ops += padded;
    }
    return 0;
}

/* A small body, copied and sent with the head. */
int ratmom_req_body(struct ratmom_req *r, const unsigned char *p, size_t len) {
    void *copy = malloc(len ? len : 1);
    if (!copy || own(r, copy))
        return CURLE_OUT_OF_MEMORY;
    if (len)
        memcpy(copy, p, len);
    int rc = curl_easy_setopt(r->easy, CURLOPT_POST, 1L);
    if (!rc)
        rc = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, copy);
    if (!rc)
        rc = curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len);
    return rc;
}

/* Request trailers: libcurl frees this list, so it is made by libcurl. */
int ratmom_req_trailers(struct ratmom_req *r, const unsigned char *items, size_t len, int n) {
    const unsigned char *end = items + len;
    curl_slist_free_all(r->trailers);
    r->trailers = NULL;
    for (int i = 0; i < n; i++) {
        uint32_t size;
        if (end - items < 4)
            return CURLE_BAD_FUNCTION_ARGUMENT;
        memcpy(&size, items, 4);
        items += 4;
        if ((uint64_t)(end - items) < (uint64_t)size + 1)
            return CURLE_BAD_FUNCTION_ARGUMENT;
        struct curl_slist *l = curl_slist_append(r->trailers, (const char *)items);
        if (!l)
            return CURLE_OUT_OF_MEMORY;
        r->trailers = l;
        items += size + 1;
    }
    return 0;
}

int ratmom_req_ring(struct ratmom_req *r, uint64_t cap) {
    r->ring = malloc(cap);
    r->ring_cap = cap;
    return r->ring ? 0 : CURLE_OUT_OF_MEMORY;
}

/* Of libcurls newer than the oldest headers we build with. */
#define INFO_CONN_ID ((CURLINFO)(CURLINFO_OFF_T + 64))           /* 8.2.0 */
#define INFO_QUEUE_TIME ((CURLINFO)(CURLINFO_OFF_T + 65))        /* 8.6.0 */
#define INFO_POSTTRANSFER_TIME ((CURLINFO)(CURLINFO_OFF_T + 67)) /* 8.10.0 */

void ratmom_req_infos(struct ratmom_req *r) {
    struct ratmom_info *o = &r->infos;
    curl_off_t v;
    long l;
#define OFFT(field, what)                                                                          \
    if (!curl_easy_getinfo(r->easy, what, &v))                                                     \
    o->field = v
#define LONG(field, what)                                                                          \
    if (!curl_easy_getinfo(r->easy, what, &l))                                                     \
    o->field = l
    o->queue = o->posttransfer = o->conn_id = -1;
    OFFT(queue, INFO_QUEUE_TIME);
    OFFT(posttransfer, INFO_POSTTRANSFER_TIME);
    OFFT(conn_id, INFO_CONN_ID);
    OFFT(namelookup, CURLINFO_NAMELOOKUP_TIME_T);
    OFFT(connect, CURLINFO_CONNECT_TIME_T);
    OFFT(appconnect, CURLINFO_APPCONNECT_TIME_T);
    OFFT(pretransfer, CURLINFO_PRETRANSFER_TIME_T);
    OFFT(starttransfer, CURLINFO_STARTTRANSFER_TIME_T);
    OFFT(total, CURLINFO_TOTAL_TIME_T);
    OFFT(sent, CURLINFO_SIZE_UPLOAD_T);
    OFFT(received, CURLINFO_SIZE_DOWNLOAD_T);
    LONG(request_size, CURLINFO_REQUEST_SIZE);
    LONG(header_size, CURLINFO_HEADER_SIZE);
    LONG(http_version, CURLINFO_HTTP_VERSION);
    LONG(connect_code, CURLINFO_HTTP_CONNECTCODE);
    LONG(os_errno, CURLINFO_OS_ERRNO);
    LONG(num_connects, CURLINFO_NUM_CONNECTS);
    LONG(verify_result, CURLINFO_SSL_VERIFYRESULT);
#undef OFFT
#undef LONG
    /* libcurl's times begin when the transfer is added: after its time in a crowd. */
    int64_t us = r->waited / 1000;
    int64_t *times[] = {&o->queue,      &o->posttransfer, &o->namelookup,    &o->connect,
                        &o->appconnect, &o->pretransfer,  &o->starttransfer, &o->total};
    for (size_t i = 0; us && i < sizeof(times) / sizeof(*times); i++)
        if (*times[i] > 0 || (i == 0 && *times[i] == 0))
            *times[i] += us;
}
