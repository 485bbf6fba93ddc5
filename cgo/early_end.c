/* The end of an answer that comes before the end of the upload, over HTTP/2.
 *
 * A server may answer, end its side of the stream, and then reset it with NO_ERROR to
 * say that it wants nothing more of the body (RFC 9113, section 8.1); Go's server does
 * so when a handler leaves the body unread. Before 8.1.0 libcurl takes the
 * answer out of its buffer, sees the reset behind it, and drops what it took
 * (cf_h2_recv in lib/http2.c). Nothing in libcurl's own interface comes between the two.
 *
 * So ratmom comes between libcurl and nghttp2: it has the function with which libcurl
 * registers its callback for frames, and keeps from that callback a reset that says
 * nothing new: NO_ERROR on a stream whose other side has ended. libcurl then sees
 * the stream close in good order, and gives out what it holds. When it goes on with the
 * upload it meets the closed stream and fails: ratmom_answered tells that all had come. */
#define _GNU_SOURCE
#include "ratmom.h"

#if defined(__linux__) && LIBCURL_VERSION_NUM < 0x080100

#include <dlfcn.h>
#include <pthread.h>

/* What nghttp2.h has, and keeps as long as the library's number is 14. */
enum { DATA = 0, HEADERS = 1, RST_STREAM = 3, END_STREAM = 1 };

struct frame {
    size_t length;
    int32_t stream;
    uint8_t type, flags, reserved;
    union {
        size_t padding;  /* of DATA: part of length */
        uint32_t reason; /* of RST_STREAM */
    } is;
};
typedef int (*on_frame)(void *session, const struct frame *f, void *user);
typedef int (*on_close)(void *session, int32_t stream, uint32_t reason, void *user);

static struct {
    void (*set_on_frame)(void *callbacks, on_frame f);
    void (*set_on_close)(void *callbacks, on_close f);
    void *(*easy_of)(void *session, int32_t stream);
    on_frame frame; /* libcurl's own */
    on_close close; /* likewise */
} h2;

struct ratmom_req *ratmom_req_of(void *session, int32_t stream) {
    struct ratmom_req *r = NULL;
    CURL *e = h2.easy_of(session, stream);
    if (e)
        curl_easy_getinfo(e, CURLINFO_PRIVATE, (char **)&r);
    return r;
}

/* nghttp2 does not tell of a last frame behind which the body is not as long as the
 * head has said: then the answer is not whole, whatever the reset says. */
static int end_frame(void *session, const struct frame *f, void *user) {
    struct ratmom_req *r = NULL;
    if (f->type == DATA || f->type == HEADERS || f->type == RST_STREAM)
        r = ratmom_req_of(session, f->stream);
    if (r && f->type == DATA)
        r->answer_bytes += f->length - f->is.padding;
    if (r && f->type == HEADERS)
        r->answer_heads += f->length != 0; /* of trailers without a field nothing comes out */
    if (r && f->type != RST_STREAM)
        r->answer_ended |= f->flags & END_STREAM;
    else if (r && r->answer_ended && f->is.reason == 0) {
        r->answer_whole = 1;
        return 0;
    }
    return h2.frame(session, f, user);
}

/* A transfer whose reader has paused it goes on with the upload, and when that meets
 * the closed stream libcurl drops what the reader has not taken. So the stream
 * stays open for libcurl, and the loop ends the transfer when all is out. (Trailers
 * come out with the stream's end alone.) */
static int end_stream(void *session, int32_t stream, uint32_t reason, void *user) {
    struct ratmom_req *r = ratmom_req_of(session, stream);
    if (r && r->multi && r->answer_whole && r->recv_paused && r->answer_heads <= 0 && !reason) {
        r->answer_held = 1;
        r->multi->nheld++;
        return 0;
    }
    return h2.close(session, stream, reason, user);
}

/* Whether f is a function of libcurl's, and not of another user of nghttp2. (Another user
 * of libcurl is kept out by ratmom_driving: its handles are no business of ours.) */
int ratmom_of_old_libcurl(void *f) {
    Dl_info a, b;
    void *known = dlsym(RTLD_DEFAULT, "curl_version_info");
    return ratmom_version() < 0x080100 && known && dladdr(known, &a) && dladdr(f, &b) &&
           a.dli_fbase == b.dli_fbase;
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static void find(void) {
    *(void **)&h2.set_on_frame = next("nghttp2_session_callbacks_set_on_frame_recv_callback");
    *(void **)&h2.set_on_close = next("nghttp2_session_callbacks_set_on_stream_close_callback");
    *(void **)&h2.easy_of = next("nghttp2_session_get_stream_user_data");
}

int ratmom_takes_part(void *f) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find);
    return ratmom_driving && h2.easy_of && ratmom_of_old_libcurl(f);
}

/* These take the place of nghttp2's, which libcurl calls for each session. Weak, for
 * where nghttp2 is linked statically: there all is as libcurl has it. */
__attribute__((weak)) void nghttp2_session_callbacks_set_on_frame_recv_callback(void *callbacks,
                                                                                on_frame f) {
    if (ratmom_takes_part((void *)f)) {
        __atomic_store_n(&h2.frame, f, __ATOMIC_RELEASE);
        f = end_frame;
    }
    if (h2.set_on_frame)
        h2.set_on_frame(callbacks, f);
}

__attribute__((weak)) void nghttp2_session_callbacks_set_on_stream_close_callback(void *callbacks,
                                                                                  on_close f) {
    if (ratmom_takes_part((void *)f)) {
        __atomic_store_n(&h2.close, f, __ATOMIC_RELEASE);
        f = end_stream;
    }
    if (h2.set_on_close)
        h2.set_on_close(callbacks, f);
}

#endif

/* Whether all of an answer is out whose server has reset the upload. */
static int all_out(struct ratmom_req *r) {
    return r->answer_whole && r->head_state == 2 && !r->head_held && r->answer_heads <= 0 &&
           r->answer_bytes == r->received;
}

/* Whether a transfer that failed has its whole answer: nothing could go wrong behind
 * it but the upload that nobody wanted. */
int ratmom_answered(struct ratmom_req *r, CURLcode result) {
    switch (result) {
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return !r->cause && all_out(r);
    default:
        return 0;
    }
}

/* Ends the transfers whose streams are open for libcurl alone. */
void ratmom_end_held(struct ratmom_multi *m) {
    m->held_moved = 0;
    for (struct ratmom_req *r = m->live, *next; r && m->nheld; r = next) {
        next = r->next;
        if (r->answer_held && all_out(r))
            ratmom_finish(m, r, CURLE_OK);
    }
}
