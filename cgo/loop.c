/* One multi handle and its turns. */
#include "sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

RATMOM_THREAD struct ratmom_multi *ratmom_driving;

CURLMcode ratmom_drive(struct ratmom_multi *m, curl_socket_t fd, int mask) {
    int running;
    struct ratmom_multi *outer = ratmom_gather_begin(m), *driving = ratmom_driving;
    ratmom_look_begin(m);
    ratmom_clock_begin(m);
    ratmom_driving = m;
    CURLMcode rc = curl_multi_socket_action(m->m, fd, mask, &running);
    ratmom_driving = driving;
    ratmom_gather_end(m, outer);
    return rc;
}

/* Closes the connections of a pool beside the multi's own. */
CURLSHcode ratmom_share_close(struct ratmom_multi *m, CURLSH *share) {
    struct ratmom_multi *outer = ratmom_gather_begin(m); /* TLS says that it ends */
    CURLSHcode rc = curl_share_cleanup(share);
    ratmom_gather_end(m, outer);
    return rc;
}

/* How much is done between two looks of Go's scheduler: transfers added, each of
 * which writes its request, and sockets served, each of which reads its response. The
 * portable loop serves all that there are at once, which no slices make cheaper. Of a crowd
 * (crowd.c) those that come next have to see whether one has to make a connection. */
#ifdef RATMOM_POLL
#define ADD_SLICE INT32_MAX
#define CROWD_SLICE 16
#else
#define ADD_SLICE 2
#define CROWD_SLICE 2
#endif
#define SERVE_SLICE 3
#define NUDGE_NS 100000000ll /* see ratmom_nudge */

struct ratmom_multi *ratmom_multi_new(void) {
    struct ratmom_multi *m = calloc(1, sizeof(*m));
    if (!m)
        return NULL;
    m->epfd = m->evfd = m->tmfd = -1;
    m->deadline = m->armed = m->mend = m->hasten = INT64_MAX;
    m->lowats = -1;
    m->cap_adds = 256;
    m->adds = malloc(m->cap_adds * sizeof(*m->adds));
    m->m = curl_multi_init();
    __atomic_add_fetch(ratmom_count_multis(), 1, __ATOMIC_RELAXED);
    if (!m->adds || !m->m || ratmom_io_open(m) || ratmom_wait_open(m)) {
        ratmom_multi_free(m);
        return NULL;
    }
    return m;
}

/* Every transfer has been removed by now. The connections close inside, through
 * our callback, so the sockets' table goes last. */
void ratmom_multi_free(struct ratmom_multi *m) {
    ratmom_lanes_free(m);
    struct ratmom_multi *outer = ratmom_gather_begin(m); /* likewise */
    if (m->m)
        curl_multi_cleanup(m->m);
    ratmom_gather_end(m, outer);
    if (m->probe)
        curl_easy_cleanup(m->probe);
    ratmom_wait_close(m);
    ratmom_gather_free(m);
    ratmom_tls_free(m);
    ratmom_tls_certs_free(m);
    ratmom_io_close(m);
    ratmom_shards_free(m);
    free(m->adds);
    free(m->events);
    free(m->given_up);
    free(m);
    __atomic_sub_fetch(ratmom_count_multis(), 1, __ATOMIC_RELAXED);
}

int ratmom_multi_setopt(struct ratmom_multi *m, int option, long value) {
    if (option == CURLMOPT_MAXCONNECTS)
        m->max_conns = (uint32_t)value;
    if (option == CURLMOPT_MAX_HOST_CONNECTIONS || option == CURLMOPT_MAX_TOTAL_CONNECTIONS)
        m->bounded |= value > 0;
    return curl_multi_setopt(m->m, (CURLMoption)option, value);
}

static void unlink_live(struct ratmom_multi *m, struct ratmom_req *r) {
    if (r->prev)
        r->prev->next = r->next;
    else
        m->live = r->next;
    if (r->next)
        r->next->prev = r->prev;
    r->prev = r->next = NULL;
    m->nlive--;
    ratmom_clock_leave(m, r);
    ratmom_tls_exit(m, r);
    m->nlimited -= r->limited;
    if (!m->nlimited)
        m->nudged = 0;
    m->nwaiting -= !r->prereqs;
    m->nshaking -= !r->prereqs && r->tls;
    if (!m->nlive)
        ratmom_alloc_idle();
    m->ntunnels -= r->tunnel != 0;
    m->nheld -= r->answer_held;
    r->answer_held = 0;
}

static void add(struct ratmom_multi *m, struct ratmom_req *r) {
    r->multi = m;
    r->t_recv = m->now;
    m->starts++;
    ratmom_count_add();
    if (r->closer != m) { /* the closing of a socket outlives the request */
        curl_easy_setopt(r->easy, CURLOPT_CLOSESOCKETDATA, m);
        r->closer = m;
    }
    int rc = CURLM_OUT_OF_MEMORY, entered = 1;
    if (r->link)
        entered = !ratmom_link_enter(r);
    else
        ratmom_lane_enter(m, r);
    if (entered)
        rc = curl_multi_add_handle(m->m, r->easy);
    if (rc) {
        ratmom_lane_leave(m, r);
        ratmom_link_leave(m, r);
        ratmom_crowd_leave(m, r);
        r->multi_code = rc;
        r->cause = RATMOM_CAUSE_MULTI;
        r->result = CURLE_FAILED_INIT;
        ratmom_mark(r, RATMOM_EV_DONE);
        return;
    }
    r->in_multi = 1;
    r->next = m->live;
    if (m->live)
        m->live->prev = r;
    m->live = r;
    m->nlive++;
    ratmom_clock_enter(m, r);
    ratmom_tls_enter(m, r);
    m->nlimited += r->limited;
    m->ntunnels += r->tunnel != 0;
    m->nwaiting++;
    m->nshaking += r->tls;
}

/* Has libcurl look again at the transfers that wait for a connection. 8.14.1 forgets
 * two occasions: when a handle without a timer is removed, its place is free but
 * the timer that would start another is not set; and when a connection that others
 * wait for (CURLOPT_PIPEWAIT) turns out to be HTTP/1.1, they wait on, behind its
 * first response. The removal of any handle with a timer makes up for both. */
static void recheck(struct ratmom_multi *m) {
    /* Who waits in a later round (401, 407, 417) has had a connection before. */
    uint32_t waiting = m->recheck & RATMOM_RECHECK_ALL ? m->nlive : m->nwaiting;
    m->recheck = 0;
    if (!waiting || ratmom_version() < 0x080000)
        return;
    if (!m->probe && !(m->probe = curl_easy_init()))
        return;
    if (!curl_multi_add_handle(m->m, m->probe))
        curl_multi_remove_handle(m->m, m->probe);
}

/* Takes r out of the multi: at its end, or to cancel it at once. */
void ratmom_remove(struct ratmom_multi *m, struct ratmom_req *r) {
    ratmom_crowd_leave(m, r);
    if (!r->in_multi) {
        ratmom_later_leave(m, r);
        ratmom_link_leave(m, r); /* it was never added */
        return;
    }
    r->in_multi = 0;
    ratmom_relay_leave(m, r);
    struct ratmom_multi *outer = ratmom_gather_begin(m);
    int rc = curl_multi_remove_handle(m->m, r->easy);
    ratmom_gather_end(m, outer);
    if (rc)
        m->multi_code = rc;
    ratmom_lookup_leave(r);
    ratmom_fd_unused(m, r);
    ratmom_lane_leave(m, r);
    int32_t fd = r->fd;
    ratmom_io_release(r);
    ratmom_fd_left(m, fd, r->fd_gen);
    ratmom_link_leave(m, r);
    unlink_live(m, r);
    ratmom_shards_trim(m);
    m->recheck |= RATMOM_RECHECK_NEW;
}

/* Has libcurl send what it has queued for an HTTP/2 connection. To run the socket
 * is not enough when nothing has come (7.88.1 over TLS); a change of a stream's
 * pause is. */
static void flush(struct ratmom_multi *m, int32_t fd) {
    for (struct ratmom_req *o = m->live; o; o = o->next) {
        if (o->fd != fd || o->recv_paused)
            continue;
        ratmom_toggle(o, CURLPAUSE_RECV);
        return;
    }
}

/* Ends a transfer whatever it is doing. Over HTTP/2 libcurl queues a RST_STREAM
 * that nothing sends until the connection is used again, and the server would work
 * on for nobody: the connection's other transfers are made to send it; if there are
 * none, the connection goes too. */
void ratmom_cancel(struct ratmom_multi *m, struct ratmom_req *r) {
    int32_t fd = r->fd;
    uint32_t gen = r->fd_gen;
    if (r->in_multi && fd >= 0 && m->io->fds[fd].gen == gen && m->io->fds[fd].http2 &&
        (r->recv_paused || ratmom_version() < 0x080000)) {
        /* 7.88.1 leaves the connection's input half read when it drops a stream that has
         * not taken all of a frame, because it is paused or has not been run since, and
         * gives the rest as body to the others: let it read on first. */
        r->discard = 1;
        r->discard_left = UINT64_MAX;
        if (r->recv_paused)
            ratmom_unpause(r, 1, 0);
        ratmom_drive(m, fd, CURL_CSELECT_IN);
        if (m->named)
            ratmom_lookup_unname(m);
    }
    ratmom_remove(m, r);
    m->recheck |= RATMOM_RECHECK_ALL;
    if (fd < 0 || m->io->fds[fd].gen != gen || !m->io->fds[fd].ours)
        return;
    if (!m->io->fds[fd].users)
        ratmom_fd_hangup(m, fd);
    else if (m->io->fds[fd].http2) {
        if (ratmom_fd_unheard(fd))
            ratmom_fd_mute(m, fd);
        flush(m, fd);
    }
}

/* 7.88.1 ends the wait of a transfer whose speed is limited without looking
 * whether the rest has come meanwhile, and then waits for a socket that has
 * nothing more to say. A pause lifted makes it look, by a timer of its own: after that
 * one there is nothing to make up for, and the loop would never rest. */
void ratmom_nudge(struct ratmom_multi *m) {
    if (m->nudged) {
        m->nudged = 0;
        /* Nobody else's timer is to come: let it be looked at once more, later. */
        if (m->deadline == INT64_MAX)
            m->deadline = m->now + NUDGE_NS;
        return;
    }
    for (struct ratmom_req *r = m->live, *next; r; r = next) {
        next = r->next;
        if (!r->limited || r->recv_paused || r->send_paused)
            continue;
        ratmom_toggle(r, CURLPAUSE_SEND);
        m->nudged = 1;
    }
}

/* Whether libcurl has run every transfer that it wants to run at once: none then holds a
 * part of its connection's input. */
static int quiet(struct ratmom_multi *m) {
    long ms = -1;
    if (!ratmom_wait_settled(m))
        return 0;
    curl_multi_timeout(m->m, &ms);
    return ms != 0;
}

/* Lets the transfer read the end of its body, if nothing is read from its connection
 * before (upload.c looks): it reads its socket first, and others may run with it. */
static void end_old(struct ratmom_multi *m, struct ratmom_req *r) {
    r->end_now = 1;
    r->taken = ratmom_fd_taken(r->fd);
    r->send_paused = 0;
    ratmom_repause(r);
    ratmom_drive(m, CURL_SOCKET_TIMEOUT, 0);
    r->end_now = 0;
}

/* Sends the ends of bodies of unknown length that libcurl does not send by itself. Over
 * HTTP/3, 8.14.1 notes the end and sends it with the next packet, which may never
 * come: a pause lifted makes it look what there is. See upload.c for the old ones. */
static void send_ends(struct ratmom_multi *m) {
    int old = ratmom_version() < 0x080000;
    m->unended = 0;
    for (struct ratmom_req *r = m->live, *next; r; r = next) {
        next = r->next;
        if (!r->unended)
            continue;
        if (old && !quiet(m)) {
            m->unended = 1;
            return;
        }
        r->unended = 0;
        if (old)
            end_old(m, r);
        else
            ratmom_toggle(r, CURLPAUSE_SEND);
    }
}

/* An HTTP/2 connection outlives a transfer that was too slow. If all of it has been silent
 * for as long, or does not acknowledge what is sent, the path may be dead: the next
 * request would be too slow as well. */
static void slow(struct ratmom_multi *m, struct ratmom_req *r) {
    long seconds;
    if (r->fd < 0 || m->io->fds[r->fd].gen != r->fd_gen || !m->io->fds[r->fd].ours ||
        !m->io->fds[r->fd].http2)
        return;
    if (sscanf(r->errbuf, "Operation too slow. Less than %*d bytes/sec transferred the last %ld",
               &seconds) != 1)
        return; /* another time was over */
    if (ratmom_fd_silent(r->fd, seconds) || ratmom_fd_unheard(r->fd))
        ratmom_fd_mute(m, r->fd);
}

void ratmom_finish(struct ratmom_multi *m, struct ratmom_req *r, CURLcode result) {
    if (r->tunnel && !r->relay && result == CURLE_OK) {
        ratmom_clock_connected(r);
        result = ratmom_tunnel_begin(m, r);
        if (r->relay || r->held)
            return; /* it goes on */
    }
    r->result = result;
    /* libcurl notes in the easy handle that a stream was refused, and only sometimes
     * forgets it: a later request would be taken for refused, and sent twice. */
    r->stained |= result != CURLE_OK;
    ratmom_alert_explain(r);
    if (r->refused && !r->cause && !r->heads_since && result && result != CURLE_OPERATION_TIMEDOUT)
        r->cause = RATMOM_CAUSE_REFUSED;
    if (r->head_held) { /* no further round: it was final */
        r->head_held = 0;
        if (result == CURLE_OK)
            ratmom_mark(r, RATMOM_EV_HEAD);
    }
    if (r->want_info || result)
        ratmom_req_infos(r);
    if (result && !r->certs.len)
        ratmom_certs_take(r);
    if (result == CURLE_OPERATION_TIMEDOUT)
        slow(m, r);
    ratmom_remove(m, r);
    ratmom_mark(r, RATMOM_EV_DONE);
}

int ratmom_step(struct ratmom_multi *m, int nadds, int64_t go_deadline, int park) {
    m->steps++;
    m->truncated = 0;
    m->now = ratmom_now();
    m->nadds = nadds;
    m->added = 0;
    m->chosen = 0;
    m->go_deadline = go_deadline;
    m->park = park;
    if (m->recheck)
        recheck(m);
    if (m->hasten <= m->now)
        ratmom_crowd_hasten(m);
    ratmom_lanes_bury(m);
    ratmom_wait_begin(m);
    return ratmom_step_on(m);
}

/* Takes what libcurl says of transfers that have ended. */
static void collect(struct ratmom_multi *m) {
    int left;
    for (CURLMsg *msg; (msg = curl_multi_info_read(m->m, &left));) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        struct ratmom_req *r = NULL;
        CURLcode result = msg->data.result;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&r);
        if (r)
            ratmom_finish(m, r, ratmom_answered(r, result) ? CURLE_OK : result);
    }
}

/* The next transfer to add: one that has waited, or one of this step's; NULL if there is
 * none. */
static struct ratmom_req *next_add(struct ratmom_multi *m) {
    struct ratmom_req *r = ratmom_crowd_next(m);
    while (!r && m->added < m->nadds) {
        r = m->adds[m->added++];
        if (ratmom_crowd_hold(m, r))
            r = ratmom_crowd_next(m);
    }
    return r;
}

static int step_on(struct ratmom_multi *m) {
    for (int n = 0; n < SERVE_SLICE; n++) {
        if (!ratmom_wait_serve(m))
            goto served;
        /* libcurl takes the connection of a new tunnel for idle until it is ours, and
         * would close it if the other side speaks first. */
        if (m->ntunnels)
            collect(m);
    }
    return 1;
served:
    /* New ones after those that make room for them. */
    if (!m->chosen)
        ratmom_later_choose(m);
    if (m->crowds || m->added < m->nadds)
        m->now = ratmom_now();
    int n = 0;
    for (struct ratmom_req *r; (r = next_add(m));) {
        add(m, r);
        if (++n >= (r->crowd ? CROWD_SLICE : ADD_SLICE)) {
            ratmom_gather_hold(m, n);
            ratmom_wait_expire(m);
            if (m->ntunnels)
                collect(m);
            return 1;
        }
    }
    ratmom_wait_expire(m);
    ratmom_gather_release(m);
    if (m->later)
        m->nready++; /* again: no rest */
    if (m->stalled && quiet(m))
        ratmom_wake_stalled(m);
    if (m->crowds)
        m->nready++;
    if (m->stalled)
        m->nready++; /* again: no rest */
    else if (m->unended)
        send_ends(m);
    ratmom_wait_end(m, m->park);
    collect(m);
    if (m->held_moved)
        ratmom_end_held(m);
    if (m->recheck)
        recheck(m);
    return 0;
}

int ratmom_step_on(struct ratmom_multi *m) {
    ratmom_beat_begin(m);
    int more = step_on(m);
    ratmom_beat_end(m);
    if (m->named)
        ratmom_lookup_unname(m);
    return more;
}
