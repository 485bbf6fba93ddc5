/* Signs of life in a call that lasts.
 *
 * Go's monitor thread takes the processor of a call into C away that it finds twice,
 * some 70 us apart: another thread is woken to have it, and while there is such a call
 * the monitor looks as often as it can. Most turns are many short calls therefore, but
 * a socket is one call: over HTTP/2 it may have the answers of all that run, and bodies
 * keep libcurl reading until the socket is empty. To come back to Go for a moment is
 * progress to the monitor, and costs a tenth of a microsecond. */
#include "ratmom.h"

#define BEAT_NS 36000   /* between two signs */
#define LOOK 3          /* pieces of work between two looks at the clock */
#define PIECE (4 << 10) /* bytes that are as much work as a head */

void ratmom_beat_begin(struct ratmom_multi *m) {
    m->beat = ratmom_now();
    m->worked = 0;
}

void ratmom_beat_end(struct ratmom_multi *m) { m->beat = 0; }

/* Called where libcurl has come out with something: a head, or n bytes of a body. */
void ratmom_beat_work(struct ratmom_multi *m, size_t n) {
    /* Not outside of a step: other calls must not come back. Nor while the thread has the name of
     * a look-up: Go may start another, which would have it, too. */
    if (!m || !m->beat || m->named)
        return;
    m->worked += 1 + (uint32_t)(n / PIECE);
    if (m->worked < LOOK)
        return;
    m->worked = 1;
    int64_t now = ratmom_now();
    if (now - m->beat < BEAT_NS)
        return;
    m->beat = now;
    m->beats++;
    ratmom_beat();
}
