/* The request body: libcurl's read and seek callbacks over memory or a ring, and
 * the trailers behind it. */
#include "ratmom.h"

#include <string.h>

static size_t starve(struct ratmom_req *r) {
    r->send_paused = 1;
    if (!r->ring_asked) {
        r->ring_asked = 1;
        ratmom_mark(r, RATMOM_EV_WANT);
    }
    return CURL_READFUNC_PAUSE;
}

static void tell_sent(struct ratmom_req *r) {
    if (r->want_sent)
        ratmom_mark(r, RATMOM_EV_SENT);
}

static size_t upload_end(struct ratmom_req *r) {
    if (r->multi)
        r->t_sent = r->multi->now;
    return 0;
}

/* Whether the end of a body of unknown length waits for the loop. Before 8.0.0 libcurl,
 * which learns the end of an upload over HTTP/2, takes up the connection's input where
 * it is, though another stream may still hold a part of it: that part is lost, and
 * the reader gets other bytes for it. So the loop says when (send_ends). */
static int end_waits(struct ratmom_req *r) {
    if (r->ring_total >= 0 || !r->multi || ratmom_version() >= 0x080000)
        return 0;
    if (r->end_now && ratmom_fd_taken(r->fd) == r->taken)
        return 0;
    r->unended = r->multi->unended = 1;
    r->send_paused = 1;
    return 1;
}

static size_t read_ring(struct ratmom_req *r, char *p, size_t n) {
    if (__atomic_load_n(&r->ring_rewind, __ATOMIC_ACQUIRE))
        return starve(r);
    uint64_t head = r->ring_head;
    uint64_t tail = __atomic_load_n(&r->ring_tail, __ATOMIC_ACQUIRE);
    if (r->ring_total >= 0 && r->ring_left == 0)
        return upload_end(r);
    if (head == tail) {
        if (__atomic_load_n(&r->ring_fail, __ATOMIC_ACQUIRE)) {
            ratmom_stop(r, RATMOM_CAUSE_UPLOAD);
            return CURL_READFUNC_ABORT;
        }
        if (__atomic_load_n(&r->ring_eof, __ATOMIC_ACQUIRE)) {
            if (__atomic_load_n(&r->ring_tail, __ATOMIC_ACQUIRE) != head)
                return read_ring(r, p, n); /* the last bytes came with the end */
            if (r->ring_total >= 0 && r->ring_left > 0) {
                ratmom_stop(r, RATMOM_CAUSE_SHORT_UPLOAD);
                return CURL_READFUNC_ABORT;
            }
            if (end_waits(r))
                return CURL_READFUNC_PAUSE;
            if (ratmom_io_udp(r))
                r->unended = r->multi->unended = 1;
            return upload_end(r);
        }
        /* Say that we starve, then look once more: the writer may have missed it. */
        __atomic_store_n(&r->ring_starved, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&r->ring_tail, __ATOMIC_SEQ_CST) != head ||
            __atomic_load_n(&r->ring_eof, __ATOMIC_SEQ_CST) ||
            __atomic_load_n(&r->ring_fail, __ATOMIC_SEQ_CST)) {
            __atomic_store_n(&r->ring_starved, 0, __ATOMIC_SEQ_CST);
            return read_ring(r, p, n);
        }
        return starve(r);
    }
    uint64_t have = tail - head;
    if (have < n)
        n = (size_t)have;
    if (r->ring_total >= 0 && (uint64_t)r->ring_left < n)
        n = (size_t)r->ring_left;
    uint64_t at = head & (r->ring_cap - 1), first = r->ring_cap - at;
    if (first > n)
        first = n;
    memcpy(p, r->ring + at, first);
    memcpy(p + first, r->ring, n - first);
    if (r->ring_total >= 0 && (r->ring_left -= (int64_t)n) == 0)
        upload_end(r);
    __atomic_store_n(&r->ring_head, head + n, __ATOMIC_SEQ_CST);
    tell_sent(r);
    /* Its writer is woken for half the ring, not for each piece. */
    if (tail - (head + n) <= r->ring_cap / 2 &&
        __atomic_exchange_n(&r->ring_full, 0, __ATOMIC_SEQ_CST))
        ratmom_mark(r, RATMOM_EV_SPACE);
    return n;
}

size_t ratmom_on_read(char *p, size_t size, size_t nitems, void *user) {
    struct ratmom_req *r = user;
    size_t n = ratmom_io_piece(r, size * nitems);
    if (r->multi)
        r->multi->read_calls++;
    ratmom_beat_work(r->multi, n);
    if (r->upload_kind == RATMOM_UP_RING)
        return read_ring(r, p, n);
    uint64_t left = r->mem_len - r->mem_off;
    if (left < n)
        n = (size_t)left;
    uint32_t ours = RATMOM_MEM_FREE;
    if (!__atomic_compare_exchange_n(&r->mem_use, &ours, RATMOM_MEM_READ, 0, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED)) {
        ratmom_stop(r, RATMOM_CAUSE_UPLOAD); /* it is the caller's again */
        return CURL_READFUNC_ABORT;
    }
    if (n)
        memcpy(p, r->mem + r->mem_off, n);
    __atomic_store_n(&r->mem_use, RATMOM_MEM_FREE, __ATOMIC_RELEASE);
    r->mem_off += n;
    if (n)
        tell_sent(r);
    if (r->mem_off == r->mem_len)
        upload_end(r);
    return n;
}

int ratmom_on_seek(void *user, curl_off_t offset, int origin) {
    struct ratmom_req *r = user;
    if (origin != SEEK_SET || offset < 0)
        return CURL_SEEKFUNC_CANTSEEK;
    if (r->upload_kind == RATMOM_UP_MEMORY) {
        if ((uint64_t)offset > r->mem_len)
            return CURL_SEEKFUNC_FAIL;
        r->mem_off = (uint64_t)offset;
        return CURL_SEEKFUNC_OK;
    }
    if (offset != 0)
        return CURL_SEEKFUNC_CANTSEEK;
    if (r->ring_head == 0)
        return CURL_SEEKFUNC_OK;
    if (!r->rewindable)
        return CURL_SEEKFUNC_FAIL;
    r->ring_left = r->ring_total;
    r->ring_asked = 1; /* the rewind itself asks */
    __atomic_store_n(&r->ring_rewind, 1, __ATOMIC_RELEASE);
    ratmom_mark(r, RATMOM_EV_REWIND);
    return CURL_SEEKFUNC_OK;
}

int ratmom_on_trailer(struct curl_slist **list, void *user) {
    struct ratmom_req *r = user;
    *list = r->trailers;
    r->trailers = NULL;
    return CURL_TRAILERFUNC_OK;
}
