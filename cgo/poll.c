/* Waiting, everywhere else: curl_multi_poll, which blocks its thread. */
#ifdef RATMOM_POLL
#include "sockets.h"

int ratmom_wait_open(struct ratmom_multi *m) {
    m->epfd = m->evfd = m->tmfd = -1;
    return 0;
}

void ratmom_wait_close(struct ratmom_multi *m) { (void)m; }

void ratmom_fd_watch(struct ratmom_multi *m, curl_socket_t fd) {
    (void)m;
    (void)fd;
}

void ratmom_fd_drop(struct ratmom_multi *m, curl_socket_t fd) {
    (void)m;
    (void)fd;
}

void ratmom_wait_run(struct ratmom_multi *m, int park) {
    int running;
    (void)park;
    m->now = ratmom_now();
    m->nready = 0;
    CURLMcode rc = curl_multi_perform(m->m, &running);
    if (rc)
        m->multi_code = rc;
}

void ratmom_poll_wait(struct ratmom_multi *m) {
    int64_t ms = 1000, now = ratmom_now();
    if (m->go_deadline != INT64_MAX)
        ms = m->go_deadline <= now ? 0 : (m->go_deadline - now + 999999) / 1000000;
    if (ms > 1000)
        ms = 1000;
    curl_multi_poll(m->m, NULL, 0, (int)ms, NULL);
}

void ratmom_poll_wake(struct ratmom_multi *m) { curl_multi_wakeup(m->m); }
#endif
