/* The loop that ratmom's agent runs, in C alone: curl_multi_socket_action over
 * epoll. It is the yardstick: what libcurl and the kernel cost by themselves. */
#ifndef BENCH_LOOP_H
#define BENCH_LOOP_H

#include <curl/curl.h>
#include <stdint.h>

struct slot {
    uint32_t events;  /* what epoll was told; 0 when the fd is not in the set */
    unsigned ours;    /* made by our open-socket callback */
    unsigned removed; /* libcurl is done with it; epoll was not told */
};

struct loop {
    CURLM *multi;
    int epfd;
    int lazy;
    int64_t deadline; /* ns; INT64_MAX when libcurl wants no timer */
    struct slot *slots;
    int nslots;
    int cork;             /* requests that start together go in few packets (HTTP/2) */
    int added;            /* requests since the last turn */
    uint64_t waits, ctls; /* epoll_wait and epoll_ctl calls, for the report */
};

void loop_open(struct loop *l, int lazy);
void loop_close(struct loop *l);
/* Has the easy handle's sockets made by us, so that lazy epoll may keep them. */
void loop_own_sockets(struct loop *l, CURL *easy);
/* Waits for and serves one batch of events. */
void loop_turn(struct loop *l);
int64_t loop_now(void);
/* Ends the program, saying where. */
void die(const char *what);

#endif
