/* Holds requests back while a connection that they may share is being made. libcurl has
 * them wait, too (CURLOPT_PIPEWAIT), but 7.88.1 for the first connection to a server
 * only: when those that there are have as many streams as the server allows, it makes a
 * new one for every request until the next one is ready. A burst of thousands made more
 * than a thousand connections where fifty do. 8.14.1 makes one at a time, and looks at all
 * that wait whenever one is ready.
 *
 * A crowd are the requests to one origin whose options may share a connection. While one
 * of them makes a connection the others are kept out of the multi, as long as no more
 * wait than the connections to come have room for. What was a guess, because the
 * server allows less, shows when the next one has to make a connection. */
#include "sockets.h"

#include <stdlib.h>

#define PATIENCE_NS 1000000000ll /* that those who are held have, and then again */
#define VAIN 4                   /* so many tell that connections of others are not for them */
#define STREAMS 100 /* of a connection: libcurl's limit, and until the server's is known */

struct ratmom_crowd {
    struct ratmom_crowd *next; /* of the origin */
    struct ratmom_origin *origin;
    uint64_t kin;
    uint32_t users;  /* its transfers, those that are held too */
    uint32_t ready;  /* of them, such as have been given a connection */
    uint32_t makers; /* of them, such as make one */
    uint32_t room;   /* how many may go meanwhile */
    uint32_t lent;   /* likewise, to connections of others, who may have a use for the same */
    uint32_t vain;   /* how many have gone there in a row and had to make one */
    uint32_t held;
    uint32_t extra;  /* how many may make one beside the first: more with each that fails */
    uint32_t apart;  /* a connection was not shared, nor does anybody know that it can be */
    uint32_t queued; /* among those that may have somebody to go */
    struct ratmom_crowd *next_queued;
    uint32_t holding; /* among those that hold somebody */
    struct ratmom_crowd *next_holding;
    int64_t since;                   /* when it began to, or last came by a connection */
    struct ratmom_req *first, *last; /* those that are held */
};

/* Whether r waits for others' connections, and others may for its own. */
static int patient(const struct ratmom_multi *m, const struct ratmom_req *r) {
    return r->pipewait && r->origin && !r->serial && !r->link && !r->fresh && !r->forbid &&
           !r->limited && !m->bounded;
}

/* How many a connection takes beside the one that has made it. */
static uint32_t others(const struct ratmom_origin *o) {
    return (o->streams ? o->streams : STREAMS) - 1;
}

/* How many make a connection, or may turn out to. */
static uint32_t busy(const struct ratmom_crowd *c) {
    return c->origin->shares ? c->makers : c->users - c->held - c->ready;
}

static int may_go(const struct ratmom_crowd *c) {
    const struct ratmom_origin *o = c->origin;
    if (busy(c) <= c->extra || c->room || c->lent || c->apart || o->http1)
        return 1;
    return o->shares && c->held >= c->makers * (uint64_t)others(o);
}

/* r is added next. If it is to make a connection beside another, it must not wait in
 * libcurl, where from 8.x on only one is made at a time. */
static void go(struct ratmom_crowd *c, struct ratmom_req *r) {
    if (!busy(c) || c->origin->http1)
        return;
    if (c->room) {
        c->room--;
        return;
    }
    if (c->lent) {
        c->lent--;
        r->borrows = 1;
        return;
    }
    curl_easy_setopt(r->easy, CURLOPT_PIPEWAIT, 0L);
    r->eager = 1;
}

/* A connection could not be made, or not in the time that r had. Those that have waited for it
 * must not wait one after the other, nor begin all at once what a server has no room for. When
 * it took a whole time limit, they have waited for long enough. That r was given up counts,
 * too: the next one is the oldest of those that have waited, and may have too little time
 * left to make a connection, as may the one after it, while more come all the time. */
static void failed(struct ratmom_crowd *c, int result) {
    if (result == CURLE_OPERATION_TIMEDOUT)
        c->extra = UINT32_MAX;
    else if (c->extra < UINT32_MAX / 2)
        c->extra = 2 * c->extra + 1;
}

static void look_again(struct ratmom_multi *m, struct ratmom_crowd *c) {
    if (c->queued || !c->held)
        return;
    c->queued = 1;
    c->next_queued = m->crowds;
    m->crowds = c;
}

/* A connection of the origin takes n more: those of other crowds may find it, too. */
static void lend(struct ratmom_multi *m, const struct ratmom_crowd *own,
                 const struct ratmom_origin *o, uint32_t n) {
    for (struct ratmom_crowd *c = o->crowds; c; c = c->next) {
        if (c == own || !c->makers || c->vain >= VAIN)
            continue;
        c->lent += n;
        look_again(m, c);
    }
}

/* Nobody makes one any more: the next who does may find that others' are for it. */
static void settle(struct ratmom_crowd *c) {
    if (!c->makers)
        c->lent = c->vain = 0;
}

static struct ratmom_crowd *crowd_of(struct ratmom_multi *m, const struct ratmom_req *r) {
    struct ratmom_origin *o = ratmom_origin_of(m, r->origin);
    if (!o)
        return NULL;
    for (struct ratmom_crowd *c = o->crowds; c; c = c->next)
        if (c->kin == r->kin)
            return c;
    struct ratmom_crowd *c = calloc(1, sizeof(*c));
    if (!c) {
        ratmom_origin_forget(m, o);
        return NULL;
    }
    c->origin = o;
    c->kin = r->kin;
    c->next = o->crowds;
    o->crowds = c;
    return c;
}

static void disband(struct ratmom_multi *m, struct ratmom_crowd *c) {
    struct ratmom_crowd **p = &c->origin->crowds;
    while (*p != c)
        p = &(*p)->next;
    *p = c->next;
    for (p = &m->crowds; c->queued && *p; p = &(*p)->next_queued) {
        if (*p == c) {
            *p = c->next_queued;
            break;
        }
    }
    for (p = &m->holding; c->holding && *p; p = &(*p)->next_holding) {
        if (*p == c) {
            *p = c->next_holding;
            break;
        }
    }
    ratmom_origin_forget(m, c->origin);
    free(c);
}

static void hold_begins(struct ratmom_multi *m, struct ratmom_crowd *c) {
    c->since = m->now;
    if (m->now + PATIENCE_NS < m->hasten)
        m->hasten = m->now + PATIENCE_NS;
    if (c->holding)
        return;
    c->holding = 1;
    c->next_holding = m->holding;
    m->holding = c;
}

/* A connection that takes long to make may hang, and has no time limit perhaps: nobody waits
 * for it alone. More are tried beside it, twice as many each time. */
void ratmom_crowd_hasten(struct ratmom_multi *m) {
    m->hasten = INT64_MAX;
    for (struct ratmom_crowd *c, **p = &m->holding; (c = *p);) {
        if (!c->held) {
            *p = c->next_holding;
            c->holding = 0;
            continue;
        }
        if (c->since + PATIENCE_NS <= m->now) {
            failed(c, 0);
            c->since = m->now;
            look_again(m, c);
        }
        if (c->since + PATIENCE_NS < m->hasten)
            m->hasten = c->since + PATIENCE_NS;
        p = &c->next_holding;
    }
}

/* Whether r, which is about to be added, has to wait; ratmom_crowd_next gives it back. */
int ratmom_crowd_hold(struct ratmom_multi *m, struct ratmom_req *r) {
    struct ratmom_crowd *c = patient(m, r) ? crowd_of(m, r) : NULL;
    r->crowd = c;
    if (!c)
        return 0;
    if (!c->held && may_go(c)) {
        go(c, r);
        c->users++;
        return 0;
    }
    c->users++;
    r->multi = m;
    r->t_recv = m->now;
    r->in_crowd = 1;
    r->prev = c->last;
    r->next = NULL;
    *(c->last ? &c->last->next : &c->first) = r;
    c->last = r;
    if (!c->held++)
        hold_begins(m, c);
    if (may_go(c))
        look_again(m, c);
    return 1;
}

static void unhold(struct ratmom_crowd *c, struct ratmom_req *r) {
    *(r->prev ? &r->prev->next : &c->first) = r->next;
    *(r->next ? &r->next->prev : &c->last) = r->prev;
    r->prev = r->next = NULL;
    r->in_crowd = 0;
    c->held--;
}

/* One that need not wait any longer; NULL if there is none. */
struct ratmom_req *ratmom_crowd_next(struct ratmom_multi *m) {
    for (struct ratmom_crowd *c; (c = m->crowds);) {
        struct ratmom_req *r = c->first;
        if (!r || !may_go(c)) {
            m->crowds = c->next_queued;
            c->queued = 0;
            continue;
        }
        go(c, r);
        unhold(c, r);
        r->waited += m->now - r->t_recv;
        return r;
    }
    return NULL;
}

/* How many of those that have waited can be seen to go next. */
uint32_t ratmom_crowd_going(const struct ratmom_multi *m) {
    const struct ratmom_crowd *c = m->crowds;
    if (!c)
        return 0;
    return busy(c) > c->extra && c->room + c->lent < c->held ? c->room + c->lent : c->held;
}

/* Whether each connection that there is has as many streams as any has had. Else they take no
 * more because they are about to end. */
static int full(const struct ratmom_crowd *c) {
    const struct ratmom_origin *o = c->origin;
    return c->ready + (uint64_t)o->most * c->makers >= (uint64_t)o->most * o->conns;
}

/* libcurl has found no connection for r and makes one. */
void ratmom_crowd_makes(struct ratmom_req *r) {
    struct ratmom_crowd *c = r->crowd;
    if (!c || r->makes || r->prereqs)
        return;
    struct ratmom_origin *o = c->origin;
    if (c->ready && !o->shares)
        c->apart = 1;
    if (c->ready && o->shares && !o->streams && full(c))
        o->streams = o->most; /* as many as there may be */
    r->makes = 1;
    c->makers++;
    c->vain += r->borrows;
    c->room = c->lent = 0;
    look_again(r->multi, c);
}

/* r has been given a connection, which is shared if others are on it. */
void ratmom_crowd_ready(struct ratmom_req *r) {
    struct ratmom_crowd *c = r->crowd;
    if (r->ready)
        return;
    r->ready = 1;
    if (!c) {
        if (r->at && r->nopened)
            lend(r->multi, NULL, r->at, others(r->at));
        return;
    }
    if (r->borrows && !r->makes)
        c->vain = 0;
    uint32_t users = r->fd >= 0 ? r->multi->io->fds[r->fd].users : 1;
    struct ratmom_origin *o = c->origin;
    c->ready++;
    if (users > 1) {
        c->apart = 0;
        if (!o->shares) {
            o->shares = 1;
            ratmom_crowd_learn(r->multi, o);
        }
    }
    if (users > o->most)
        o->most = users;
    if (o->streams && users > o->streams)
        o->streams = users;
    if (r->makes) {
        r->makes = 0;
        c->makers--;
        c->extra = 0;
        c->since = r->multi->now;
        c->room += others(o);
        lend(r->multi, c, o, others(o));
    } else if (!c->makers) {
        c->extra = 0;
    }
    settle(c);
    look_again(r->multi, c);
}

/* r ends, or does not begin. */
void ratmom_crowd_leave(struct ratmom_multi *m, struct ratmom_req *r) {
    struct ratmom_crowd *c = r->crowd;
    if (r->ready && r->at)
        lend(m, c, r->at, 1);
    if (!c) {
        r->ready = 0;
        return;
    }
    r->crowd = NULL;
    if (r->in_crowd)
        unhold(c, r);
    else if (!r->ready)
        failed(c, r->result);
    c->makers -= r->makes;
    if (r->eager) {
        curl_easy_setopt(r->easy, CURLOPT_PIPEWAIT, 1L);
        r->eager = 0;
    }
    c->ready -= r->ready;
    c->room += r->ready && c->makers;
    r->makes = r->ready = r->borrows = 0;
    settle(c);
    if (!--c->users)
        disband(m, c);
    else
        look_again(m, c);
}

/* An answer has told how the origin speaks. */
void ratmom_crowd_learn(struct ratmom_multi *m, struct ratmom_origin *o) {
    for (struct ratmom_crowd *c = o->crowds; c; c = c->next) {
        if (o->shares)
            c->apart = 0;
        look_again(m, c);
    }
}
