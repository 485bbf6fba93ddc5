/* Requests that begin later than in the step that brought them.
 *
 * A program that starts thousands at once would have thousands of connections being made at once,
 * and each holds more while its handshake goes on than when it is over: OpenSSL's buffer for
 * messages alone has 21 KiB. The loop would begin every handshake before it goes on with any, since
 * what is ready first is served first. So while many connections with TLS are being made, and more
 * sockets are ready than one look finds, a step begins a few requests only: what the loop cannot
 * keep up with need not be begun. It has as much to do as before, in another order. */
#include "ratmom.h"

#define MANY 64 /* requests over TLS without a connection */
#define FEW 8   /* that begin in such a step */

static uint32_t room(const struct ratmom_multi *m) {
    return m->crowded && m->nshaking >= MANY ? FEW : m->cap_adds;
}

static void append(struct ratmom_multi *m, struct ratmom_req *r) {
    r->later = 1;
    r->t_recv = m->now;
    r->prev = m->later_last;
    if (m->later_last)
        m->later_last->next = r;
    else
        m->later = r;
    m->later_last = r;
}

void ratmom_later_leave(struct ratmom_multi *m, struct ratmom_req *r) {
    if (!r->later)
        return;
    r->later = 0;
    if (r->prev)
        r->prev->next = r->next;
    else
        m->later = r->next;
    if (r->next)
        r->next->prev = r->prev;
    else
        m->later_last = r->prev;
    r->prev = r->next = NULL;
}

/* Chooses those that the step begins, once: the oldest. */
void ratmom_later_choose(struct ratmom_multi *m) {
    uint32_t n = room(m);
    m->chosen = 1;
    if (!m->later && (uint32_t)m->nadds <= n)
        return;
    for (int32_t i = 0; i < m->nadds; i++)
        append(m, m->adds[i]);
    for (m->nadds = 0; m->later && (uint32_t)m->nadds < n; m->nadds++) {
        m->adds[m->nadds] = m->later;
        m->later->waited += m->now - m->later->t_recv;
        ratmom_later_leave(m, m->later);
    }
}
