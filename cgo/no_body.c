/* The end of a request over HTTP/2 whose head says that it has no body.
 *
 * Before 8.1.0 libcurl leaves the body out of the first round of an authentication, by a
 * Content-Length of 0, but not the promise of DATA frames: none comes, and the
 * stream never ends (cf_h2_send in lib/http2.c). A server that waits for the end would
 * wait for ever, and so would libcurl for the stream of one that has answered.
 *
 * ratmom has the function with which libcurl submits requests to nghttp2 (early_end.c
 * tells how), and takes the promise away: then the head ends the stream. */
#define _GNU_SOURCE
#include "ratmom.h"

#if defined(__linux__) && LIBCURL_VERSION_NUM < 0x080100

#include <dlfcn.h>
#include <pthread.h>
#include <string.h>

/* What nghttp2.h has. */
struct field {
    uint8_t *name, *value;
    size_t name_len, value_len;
    uint8_t flags;
};
struct promise {
    void *source;
    void *read; /* libcurl's callback */
};
typedef int32_t (*submit_request)(void *session, const void *priority, const struct field *fields,
                                  size_t n, const struct promise *body, void *stream_user);

static submit_request submit;

static void find(void) { *(void **)&submit = dlsym(RTLD_NEXT, "nghttp2_submit_request"); }

static int is_empty(const struct field *fields, size_t n) {
    static const char name[] = "content-length";
    for (size_t i = 0; i < n; i++)
        if (fields[i].name_len == sizeof(name) - 1 &&
            !memcmp(fields[i].name, name, sizeof(name) - 1))
            return fields[i].value_len == 1 && *fields[i].value == '0';
    return 0;
}

__attribute__((weak)) int32_t nghttp2_submit_request(void *session, const void *priority,
                                                     const struct field *fields, size_t n,
                                                     const struct promise *body,
                                                     void *stream_user) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find);
    if (!submit)
        return -902; /* NGHTTP2_ERR_CALLBACK_FAILURE: there is no nghttp2 */
    if (ratmom_driving && stream_user && ratmom_version() < 0x080100)
        ratmom_io_speaks_http2(stream_user);
    if (body && ratmom_driving && is_empty(fields, n) && ratmom_of_old_libcurl(body->read))
        body = NULL;
    return submit(session, priority, fields, n, body, stream_user);
}

#endif
