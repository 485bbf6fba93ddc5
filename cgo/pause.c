/* Pauses of a transfer, in either direction. libcurl sets both at once, and may call the
 * callbacks and send before it returns; its error is not fatal, the transfer's own end tells. */
#include "sockets.h"

static int paused(const struct ratmom_req *r) {
    return (r->recv_paused ? CURLPAUSE_RECV : 0) | (r->send_paused ? CURLPAUSE_SEND : 0);
}

void ratmom_repause(struct ratmom_req *r) {
    struct ratmom_multi *outer = ratmom_gather_begin(r->multi);
    curl_easy_pause(r->easy, paused(r));
    ratmom_gather_end(r->multi, outer);
}

void ratmom_toggle(struct ratmom_req *r, int direction) {
    struct ratmom_multi *outer = ratmom_gather_begin(r->multi);
    int now = paused(r);
    curl_easy_pause(r->easy, now | direction);
    curl_easy_pause(r->easy, now);
    ratmom_gather_end(r->multi, outer);
}

/* Before 8.0.0 each pause that is lifted opens the window of an HTTP/2 stream anew,
 * and libcurl fails with "out of memory" when it holds more than 64 MiB of the body.
 * What it holds is therefore taken in full before the next pause. */
static int reopens(const struct ratmom_req *r) {
    return r->fd >= 0 && r->multi->io->fds[r->fd].http2 && ratmom_version() < 0x080000;
}

/* Lifts the pauses that are named. */
void ratmom_unpause(struct ratmom_req *r, int recv, int send) {
    if (!r->in_multi || r->relay)
        return;
    if (recv) {
        if (r->recv_paused)
            r->t_recv = ratmom_now(); /* nothing was due while it was paused */
        r->recv_paused = 0;
        ratmom_io_resumed(r);
        if (reopens(r))
            ratmom_fd_stall(r);
    }
    if (send)
        r->send_paused = 0;
    r->flushing = recv && reopens(r);
    ratmom_repause(r);
    r->flushing = 0;
}
