/* libcurl's callbacks. They run on the agent's thread inside a step, write into
 * the request's C memory and mark what happened; none of them hands anything to Go. */
#include "ratmom.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

void ratmom_mark(struct ratmom_req *r, uint32_t ev) {
    struct ratmom_multi *m = r->multi;
    uint32_t before = r->events;
    r->events |= ev;
    if (!m)
        return;
    if (ev != RATMOM_EV_BODY && ev != RATMOM_EV_SENT)
        m->urgent = 1;
    if (before)
        return;
    if (m->nevents == m->cap_events) {
        uint32_t cap = m->cap_events ? m->cap_events * 2 : 256;
        struct ratmom_req **e = realloc(m->events, cap * sizeof(*e));
        if (!e)
            abort(); /* a few kB: nothing sensible is left to do */
        m->events = e;
        m->cap_events = cap;
    }
    m->events[m->nevents++] = r;
}

int ratmom_buf_add(struct ratmom_buf *b, const char *p, size_t n) {
    if (b->cap - b->len < n) {
        size_t cap = b->cap ? b->cap : 512;
        while (cap - b->len < n)
            cap *= 2;
        char *q = realloc(b->p, cap);
        if (!q)
            return -1;
        b->p = q;
        b->cap = cap;
    }
    memcpy(b->p + b->len, p, n);
    b->len += n;
    return 0;
}

static void head_done(struct ratmom_req *r) {
    r->head_held = 0;
    r->head_state = 2;
    ratmom_mark(r, RATMOM_EV_HEAD);
    ratmom_beat_work(r->multi, 0);
}

/* Ends the transfer from inside a callback. */
size_t ratmom_stop(struct ratmom_req *r, uint32_t cause) {
    if (!r->cause)
        r->cause = cause;
    return 0;
}

/* Before 8.1.0 an easy handle that has run before keeps a pointer to the last
 * header of that run, which is freed, and writes there when a response begins with
 * a folded line (curl issue 11101): any server could corrupt our memory. The log
 * of a line is written before the line is looked at, and from the same memory: so
 * the log is on between the status line and the first header, and takes the fold
 * away. */
static void guard(struct ratmom_req *r) {
    if (!r->ran || r->guarded || r->head_whole || ratmom_version() >= 0x080100)
        return;
    r->guarded = 1;
    curl_easy_setopt(r->easy, CURLOPT_VERBOSE, 1L);
}

static void unguard(struct ratmom_req *r) {
    r->guarded = 2; /* the pointer is good from here on */
    if (!r->debug_on && !r->may_resend && !r->tls_in_tls && !r->loud)
        curl_easy_setopt(r->easy, CURLOPT_VERBOSE, 0L);
}

static uint32_t status_of(const char *p, size_t n) {
    const char *sp = memchr(p, ' ', n);
    uint32_t s = 0;
    if (!sp)
        return 0;
    for (sp++; sp < p + n && *sp >= '0' && *sp <= '9' && s < 1000; sp++)
        s = s * 10 + (uint32_t)(*sp - '0');
    return s;
}

static void heard(struct ratmom_req *r) {
    if (!r->multi)
        return;
    r->t_recv = r->multi->now;
    r->multi->heard++;
}

static size_t on_header(char *p, size_t size, size_t nitems, void *user) {
    struct ratmom_req *r = user;
    size_t n = size * nitems;
    int blank = (n == 2 && p[0] == '\r' && p[1] == '\n') || (n == 1 && p[0] == '\n');

    heard(r);
    if (!r->head_whole)
        r->head_bytes += n;
    if (r->head_bytes > r->max_head)
        return ratmom_stop(r, RATMOM_CAUSE_HEAD_TOO_LARGE);

    if (r->head_state == 2 && r->head_held && n > 5 && !memcmp(p, "HTTP/", 5))
        r->head_state = 0; /* libcurl tried again: the held head was not final */
    if (r->head_state == 2) {
        r->answer_heads = 0; /* trailers come out together */
        if (!blank && ratmom_buf_add(&r->trailer, p, n))
            return ratmom_stop(r, RATMOM_CAUSE_MEMORY);
        return n;
    }
    if (r->head_state == 1 && r->guarded == 1 && !blank)
        unguard(r);
    if (r->head_state == 0) {
        if (!r->head_whole)
            r->head.len = 0;
        r->head_held = 0;
        /* What is no HTTP has been declared to be 200 (HTTP200ALIASES). */
        r->status = n > 5 && !strncasecmp(p, "HTTP/", 5) ? status_of(p, n) : 200;
        r->head_state = 1;
        guard(r);
        if (r->first)
            ratmom_tls_answered(r);
        if (n > 6 && p[5] == '2')
            ratmom_io_http2(r);
        if (r->prereqs && n > 6) /* not a proxy's answer to CONNECT */
            ratmom_shard_learn(r, p[5]);
    }
    if (!r->head_whole && ratmom_buf_add(&r->head, p, n))
        return ratmom_stop(r, RATMOM_CAUSE_MEMORY);
    if (!blank)
        return n;
    r->head_whole = 0;
    if (r->head.len > 5 && r->head.p[5] == '2')
        r->answer_heads--;

    if (r->status / 100 == 1 && r->status != 101) {
        r->head_state = 0;
        if (ratmom_buf_add(&r->info, r->head.p, r->head.len))
            return ratmom_stop(r, RATMOM_CAUSE_MEMORY);
        r->head.len = 0;
        if (r->info_free)
            r->head_bytes = 0;
        ratmom_mark(r, RATMOM_EV_INFO);
        return n;
    }
    r->heads_since = r->status;
    if ((r->auth_armed && (r->status == 401 || r->status == 407)) ||
        (r->expect_sent && r->status == 417)) {
        r->head_held = 1; /* final only if a body byte or the end follows */
        r->head_state = 2;
        return n;
    }
    head_done(r);
    if (r->head_only)
        return ratmom_stop(r, RATMOM_CAUSE_HEAD_ONLY);
    return n;
}

static size_t on_body(char *p, size_t size, size_t nitems, void *user) {
    struct ratmom_req *r = user;
    size_t n = size * nitems, left = n;

    if (!r->head_bytes) { /* HTTP/0.9, which has been allowed: all is body */
        static const char head[] = "HTTP/0.9 200 OK\r\n\r\n";
        if (ratmom_buf_add(&r->head, head, sizeof(head) - 1))
            return ratmom_stop(r, RATMOM_CAUSE_MEMORY);
        r->head_bytes = sizeof(head) - 1;
        r->status = 200;
        head_done(r);
    }
    if (r->head_held)
        head_done(r);
    if (r->answer_held)
        r->multi->held_moved = 1;
    heard(r);
    ratmom_beat_work(r->multi, n);
    if (r->received >= r->lowat.at)
        ratmom_lowat_look(r);
    if (r->discard) {
        if (n > r->discard_left)
            return 0;
        r->discard_left -= n;
        r->received += n;
        return n;
    }
    if (!r->flushing && !r->answer_whole &&
        __atomic_load_n(&r->buffered, __ATOMIC_RELAXED) >= (int64_t)r->high_water) {
        r->recv_paused = 1;
        ratmom_io_paused(r);
        ratmom_mark(r, RATMOM_EV_PAUSED);
        return CURL_WRITEFUNC_PAUSE;
    }
    while (left) {
        struct ratmom_chunk *c = r->body_last;
        if (!c || c->len == c->cap) {
            size_t want = RATMOM_CHUNK;
            if (r->received < 16 * 1024) /* a small body gets small memory */
                want = left <= RATMOM_CHUNK_SMALL ? RATMOM_CHUNK_SMALL
                       : left < 4096              ? 4096
                                                  : 16 * 1024;
            c = ratmom_chunk_get(want);
            if (!c)
                return ratmom_stop(r, RATMOM_CAUSE_MEMORY);
            if (r->body_last)
                r->body_last->next = c;
            else
                r->body_first = c;
            r->body_last = c;
        }
        size_t room = c->cap - c->len, take = left < room ? left : room;
        memcpy(c->data + c->len, p, take);
        c->len += (uint32_t)take;
        p += take;
        left -= take;
        r->received += take;
    }
    r->body_new += n;
    __atomic_add_fetch(&r->buffered, (int64_t)n, __ATOMIC_RELAXED);
    ratmom_mark(r, RATMOM_EV_BODY);
    return n;
}

/* ---- before each sending -------------------------------------------------- */

#define MAX_ROUNDS 8 /* NTLM to a proxy and to the server takes six */

/* libcurl leaves a header of ours as it is when it goes on without Expect; one
 * without a value is not sent. */
static void drop_expect(struct ratmom_req *r) {
    for (struct curl_slist *l = r->headers; l; l = l->next)
        if (!strncasecmp(l->data, "Expect:", 7))
            l->data[7] = 0;
}

/* libcurl calls this before it sends the request, and again before it sends the
 * request once more. A second sending is only let through as a round of
 * authentication or after a 417: everything else, such as the silent retry when
 * a reused connection dies, is decided in Go, where it is known whether the
 * request may be repeated. */
static int on_prereq(void *user, char *rip, char *lip, int rport, int lport) {
    struct ratmom_req *r = user;
    ratmom_lookup_end(r);
    ratmom_clock_connected(r);
    if (r->multi)
        ratmom_look_begin(r->multi);
    if (!r->prereqs && r->multi) {
        r->multi->nwaiting--;
        r->multi->nshaking -= r->tls;
        if (r->nopened)
            r->multi->recheck |= RATMOM_RECHECK_ALL;
    }
    if (r->prereqs++) {
        uint32_t s = r->heads_since;
        int round = (r->auth_armed && (s == 401 || s == 407)) || (r->expect_sent && s == 417);
        if (s == 417 && r->expect_sent) {
            r->expect_sent = 0; /* once: 7.88.1 would repeat it without end */
            drop_expect(r);
        }
        if (!round || ++r->resends > MAX_ROUNDS) {
            ratmom_stop(r, r->refused ? RATMOM_CAUSE_REFUSED : RATMOM_CAUSE_RESEND);
            return CURL_PREREQFUNC_ABORT;
        }
        /* 7.88.1 goes by what it has sent, which may be less than it has taken: the
         * body would arrive without its beginning. */
        if (r->upload_kind != RATMOM_UP_NONE &&
            ratmom_on_seek(r, 0, SEEK_SET) != CURL_SEEKFUNC_OK) {
            ratmom_stop(r, RATMOM_CAUSE_REWIND);
            return CURL_PREREQFUNC_ABORT;
        }
    }
    r->heads_since = r->refused = r->stream = r->adrift = 0;
    r->answer_bytes = r->answer_ended = r->answer_whole = 0;
    r->answer_heads = 0;
    int32_t was = r->fd;
    uint32_t gen = r->fd_gen;
    ratmom_io_assign(r, lip, lport, rip, rport);
    ratmom_crowd_ready(r);
    if (r->multi && r->fd >= 0) /* a later round may be on another */
        ratmom_fd_left(r->multi, was, gen);
    ratmom_certs_take(r);
    if (ratmom_io_hungup(r)) { /* Go sends it again */
        ratmom_stop(r, RATMOM_CAUSE_HUNG_UP);
        return CURL_PREREQFUNC_ABORT;
    }
    uint32_t why = r->prereqs == 1 ? ratmom_commit(r) : 0;
    if (why) {
        ratmom_stop(r, why);
        return CURL_PREREQFUNC_ABORT;
    }
    ratmom_io_listen(r);
    ratmom_tls_sent(r);
    ratmom_look_sent(r);
    ratmom_head_await(r);
    if (r->multi) {
        r->multi->starts++;
        if (r->upload_kind == RATMOM_UP_NONE && !ratmom_dial_waits(r))
            r->t_sent = r->multi->now;
    }
    return CURL_PREREQFUNC_OK;
}

/* What holds for every transfer; all other options come packed from Go. */
void ratmom_baseline(struct ratmom_req *r) {
    CURL *e = r->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, r);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_NOPROGRESS, 1L);
    /* A system's libcurl also speaks file, gopher, ldap … */
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    /* Else a cancel during name resolution joins the resolver's thread. */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    /* 7.88.1 keeps the upload buffer of a transfer that left a shared connection and takes it
     * to be as large as the option says: setting that, to the default too, frees it. */
    curl_easy_setopt(e, CURLOPT_UPLOAD_BUFFERSIZE, 64L << 10);
    /* An early answer must not cut the upload short. */
    curl_easy_setopt(e, CURLOPT_KEEP_SENDING_ON_ERROR, 1L);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->errbuf);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(e, CURLOPT_READFUNCTION, ratmom_on_read);
    curl_easy_setopt(e, CURLOPT_READDATA, r);
    curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, ratmom_on_seek);
    curl_easy_setopt(e, CURLOPT_SEEKDATA, r);
    if (r->has_trailers) {
        curl_easy_setopt(e, CURLOPT_TRAILERFUNCTION, ratmom_on_trailer);
        curl_easy_setopt(e, CURLOPT_TRAILERDATA, r);
    }
    curl_easy_setopt(e, CURLOPT_PREREQFUNCTION, on_prereq);
    curl_easy_setopt(e, CURLOPT_PREREQDATA, r);
    curl_easy_setopt(e, CURLOPT_DEBUGFUNCTION, ratmom_on_debug);
    curl_easy_setopt(e, CURLOPT_DEBUGDATA, r);
    if (r->debug_on || r->may_resend || r->tls_in_tls)
        curl_easy_setopt(e, CURLOPT_VERBOSE, 1L);
    ratmom_io_callbacks(r);
    ratmom_lookup_callbacks(r);
}
