/* What libcurl has read of an HTTP/2 connection and not made use of.
 *
 * Before 8.1.0 libcurl stops nghttp2 where the buffer of a stream is full
 * (on_data_chunk_recv in lib/http2.c), and goes on when that stream has taken what there is: by
 * its next turn, which it does not ask for (cf_h2_recv), nor does a stream that ends there
 * for the others (http2_data_done). With nothing more to come from the server
 * no turn comes. So ratmom, which comes between libcurl and nghttp2 (early_end.c tells
 * how), notes the stop, and the loop gives the connection a turn.
 *
 * Where the stop is behind the last byte, that turn has nothing to give to nghttp2, which
 * would say now that the frame, and the stream, is at its end. So libcurl is told that
 * nghttp2 has not taken that byte, and nghttp2 is not given it again. */
#define _GNU_SOURCE
#include "sockets.h"

#if defined(__linux__) && LIBCURL_VERSION_NUM < 0x080100

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

enum { STOP = -526 }; /* NGHTTP2_ERR_PAUSE */

typedef int (*on_data)(void *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t n,
                       void *user);

static struct {
    void (*set_on_data)(void *callbacks, on_data f);
    ssize_t (*recv)(void *session, const uint8_t *in, size_t n);
    void (*del)(void *session);
    on_data data; /* libcurl's own */
} h2;

/* Sessions whose last byte nghttp2 has, and libcurl as well. */
struct kept {
    void *session;
    const uint8_t *at; /* where libcurl has it */
    struct kept *next;
};
static struct kept *all;
static uint32_t nkept; /* atomic */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static __thread int stopped; /* in the present call */

static int keep(void *session, const uint8_t *at) {
    struct kept *k = malloc(sizeof(*k));
    if (!k)
        return 0;
    k->session = session;
    k->at = at;
    pthread_mutex_lock(&lock);
    k->next = all;
    all = k;
    __atomic_add_fetch(&nkept, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&lock);
    return 1;
}

/* Whether libcurl gives the byte again. Of a connection without transfers it may have
 * forgotten it. */
static int unkeep(void *session, const uint8_t *in) {
    struct kept *found = NULL;
    int same;
    if (!__atomic_load_n(&nkept, __ATOMIC_RELAXED))
        return 0; /* a session's own thread has set it */
    pthread_mutex_lock(&lock);
    for (struct kept **at = &all; *at; at = &(*at)->next)
        if ((*at)->session == session) {
            found = *at;
            *at = found->next;
            __atomic_sub_fetch(&nkept, 1, __ATOMIC_RELAXED);
            break;
        }
    pthread_mutex_unlock(&lock);
    same = found && found->at == in;
    free(found);
    return same;
}

static int some_data(void *session, uint8_t flags, int32_t stream, const uint8_t *data, size_t n,
                     void *user) {
    int rc = h2.data(session, flags, stream, data, n, user);
    if (rc == STOP) {
        stopped = 1;
        ratmom_fd_stall(ratmom_req_of(session, stream));
    }
    return rc;
}

static void find(void) {
    *(void **)&h2.set_on_data =
        dlsym(RTLD_NEXT, "nghttp2_session_callbacks_set_on_data_chunk_recv_callback");
    *(void **)&h2.recv = dlsym(RTLD_NEXT, "nghttp2_session_mem_recv");
    *(void **)&h2.del = dlsym(RTLD_NEXT, "nghttp2_session_del");
}

static int found(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find);
    return h2.set_on_data && h2.recv && h2.del;
}

__attribute__((weak)) void
nghttp2_session_callbacks_set_on_data_chunk_recv_callback(void *callbacks, on_data f) {
    if (!found())
        return;
    if (ratmom_takes_part((void *)f)) {
        __atomic_store_n(&h2.data, f, __ATOMIC_RELEASE);
        f = some_data;
    }
    h2.set_on_data(callbacks, f);
}

__attribute__((weak)) ssize_t nghttp2_session_mem_recv(void *session, const uint8_t *in, size_t n) {
    if (!found())
        return -902; /* NGHTTP2_ERR_CALLBACK_FAILURE: there is no nghttp2 */
    size_t again = n && unkeep(session, in);
    stopped = 0;
    ssize_t took = h2.recv(session, in + again, n - again);
    if (took < 0)
        return took;
    took += (ssize_t)again;
    if (stopped && n > 1 && (size_t)took == n && keep(session, in + n - 1))
        took--;
    return took;
}

__attribute__((weak)) void nghttp2_session_del(void *session) {
    if (!found())
        return;
    unkeep(session, NULL);
    h2.del(session);
}

#endif

/* Notes that libcurl may hold a part of the input of the request's connection. */
void ratmom_fd_stall(struct ratmom_req *r) {
    if (!r || !r->multi || r->fd < 0)
        return;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (f->gen == r->fd_gen)
        f->stalled = r->multi->stalled = 1;
}

/* Gives those connections a turn, and another one as long as one brings something: whose
 * buffer was full may have its turn after those that would read on. */
void ratmom_wake_stalled(struct ratmom_multi *m) {
    m->stalled = 0;
    for (struct ratmom_req *r = m->live; r; r = r->next) {
        if (r->fd < 0 || !m->io->fds[r->fd].stalled)
            continue;
        struct ratmom_fd *f = &m->io->fds[r->fd];
        uint64_t heard = m->heard;
        f->stalled = 0;
        if (f->gen != r->fd_gen)
            continue;
        ratmom_wait_kick(m, r);
        if (m->heard != heard)
            ratmom_fd_stall(r);
    }
}
