/* The sockets of one agent: which are ours, which connection each is, and how
 * many running transfers are on it. */
#ifndef RATMOM_SOCKETS_H
#define RATMOM_SOCKETS_H

#include "ratmom.h"

struct ratmom_fd {
    uint32_t gen;    /* counts the sockets that had this number */
    uint32_t users;  /* running transfers on it */
    uint32_t wary;   /* of them, those that must know of a GOAWAY */
    uint32_t want;   /* epoll events that libcurl asks for */
    uint32_t reg;    /* epoll events that the kernel has */
    uint8_t ours;    /* made by our open-socket callback */
    uint8_t removed; /* libcurl has dropped it from its set; epoll still has it */
    uint8_t in_epoll;
    uint8_t http2;
    uint8_t udp;
    uint8_t local;    /* a unix socket: has no port to know it by */
    uint8_t held_out; /* OUT is withheld, see epoll.c */
    uint8_t out_spins;
    uint8_t hungup;           /* we have shut it down */
    uint8_t tls;              /* known with http2 */
    uint8_t out_waits;        /* the kernel takes no more of it for now */
    uint32_t out_fill;        /* so much of a body is gathered at once; 0: not known yet */
    int out_error;            /* what has become of it */
    struct ratmom_out *out;   /* what libcurl has sent and the kernel has not, see gather.c */
    uint8_t mute;             /* nothing comes through any more, see lanes.c */
    uint8_t stalled;          /* libcurl may hold a part of its input, see half_read.c */
    uint8_t sent_on;          /* a request has been */
    uint32_t record;          /* so much of a TLS record is to be read yet, see read_ahead.c */
    struct ratmom_req *lowat; /* whose body it is of which a part has to be there, see lowat.c */
    int64_t lowat_heard;      /* when it was reported last */
    int32_t lowat_next;
    uint64_t sent; /* bytes the kernel had sent at the last spin */
    uint64_t key;  /* of its local address; 0 until known */
    int32_t next;  /* in the bucket of the key; -1 ends */
    struct ratmom_addr laddr, raddr;
    uint64_t origin;           /* of the request that opened it */
    uint32_t lane, shard;      /* likewise */
    struct ratmom_origin *at;  /* likewise, see shards.c */
    const void *opener;        /* that request, which may be over: only to compare */
    uint32_t paused;           /* streams, on HTTP/2 */
    struct ratmom_buf certs;   /* of the server, if somebody has asked */
    struct ratmom_req *relay;  /* whose bytes are moved here, not by libcurl's loop */
    uint64_t dial;             /* the connection that is to take its place; 0: none */
    int32_t plug;              /* its other end until then */
    uint64_t dialled;          /* the connection that is there */
    uint64_t name;             /* of a connection that Go makes: its key, when that is known */
    struct ratmom_link *link;  /* whose connection it is */
    struct ratmom_req *first;  /* that has first set */
    struct ratmom_req *awaits; /* whose head is the next that comes, see head.c */
};

struct ratmom_shard {
    uint32_t users; /* transfers that have been sent to it */
    uint32_t conns; /* sockets that they have opened */
};

/* A server that requests go to. */
struct ratmom_origin {
    struct ratmom_origin *next; /* in its bucket */
    uint64_t key;
    uint32_t users, conns; /* of all shards; with none of both, nor a crowd, it is forgotten */
    uint32_t http1;        /* its last answer was one of HTTP/1 */
    uint32_t first;        /* shards before it are full */
    uint32_t n, cap;
    struct ratmom_shard *shards; /* at least one */
    struct ratmom_shard one;
    struct ratmom_crowd *crowds; /* see crowd.c */
    uint32_t shares;             /* its connections take several requests at once */
    uint32_t most;               /* that have been seen on one */
    uint32_t streams;            /* that a connection takes, by all that is known; 0: nothing */
};

#define RATMOM_BUCKETS 1024

struct ratmom_io {
    struct ratmom_fd *fds;
    int32_t nfds;
    int32_t bucket[RATMOM_BUCKETS];
    int32_t *clogged; /* sockets with many paused streams */
    uint32_t nclogged, cap_clogged;
};

struct ratmom_fd *ratmom_fd_at(struct ratmom_multi *m, curl_socket_t fd);
int ratmom_io_open(struct ratmom_multi *m);
void ratmom_io_close(struct ratmom_multi *m);
/* Ends a connection that no transfer uses; libcurl finds it dead later. */
void ratmom_fd_hangup(struct ratmom_multi *m, curl_socket_t fd);
int ratmom_fd_ended(curl_socket_t fd);
int ratmom_io_unplaced(struct ratmom_multi *m);
/* Has epoll report what happens on a connection that nobody waits for. */
void ratmom_fd_watch(struct ratmom_multi *m, curl_socket_t fd);
int ratmom_fd_idle(struct ratmom_multi *m, struct ratmom_fd *f); /* epoll.c, poll.c */
void ratmom_fd_drop(struct ratmom_multi *m, curl_socket_t fd);   /* before close */
/* Has the relay of a socket run on these events; none: leaves it alone. */
void ratmom_fd_relay(struct ratmom_multi *m, curl_socket_t fd, unsigned events);
enum { RATMOM_FD_IN = 1, RATMOM_FD_OUT = 2, RATMOM_FD_GONE = 4 };
/* Has the loop go on with a number that has another socket now. */
void ratmom_fd_swapped(struct ratmom_multi *m, curl_socket_t fd);
int ratmom_pair_open(int fds[2]);
/* libcurl's open-socket callback. */
curl_socket_t ratmom_socket_open(void *p, curlsocktype purpose, struct curl_sockaddr *a);
struct ratmom_fd *ratmom_fd_renew(struct ratmom_multi *m, curl_socket_t fd);
void ratmom_fd_place(struct ratmom_io *io, int32_t fd, uint64_t key);
curl_socket_t ratmom_dial_open(struct ratmom_req *r);
void ratmom_dial_use(struct ratmom_req *r);
void ratmom_dial_drop(struct ratmom_multi *m, curl_socket_t fd);
int32_t ratmom_dial_find(struct ratmom_req *r);
/* Tells the link that its connection is over. */
void ratmom_link_down(struct ratmom_multi *m, struct ratmom_fd *f);
/* What a socket has from the request that opened it. */
void ratmom_fd_opened(struct ratmom_multi *m, struct ratmom_fd *f, struct ratmom_req *r);
/* r, which is out of the multi, has left behind what it opened and never used. */
void ratmom_fd_unused(struct ratmom_multi *m, const struct ratmom_req *r);
/* We have shut it down. */
void ratmom_fd_dead(struct ratmom_multi *m, struct ratmom_fd *f);
enum { RATMOM_SHARD_LANES = 256, RATMOM_SHARDS = 1024 };
void ratmom_lane_opened(struct ratmom_multi *m, struct ratmom_fd *f);
void ratmom_lane_dead(struct ratmom_multi *m, struct ratmom_fd *f);
void ratmom_lane_closed(struct ratmom_multi *m, struct ratmom_fd *f);
struct ratmom_origin *ratmom_origin_of(struct ratmom_multi *m, uint64_t key);
void ratmom_origin_forget(struct ratmom_multi *m, struct ratmom_origin *o);
void ratmom_crowd_learn(struct ratmom_multi *m, struct ratmom_origin *o);
void ratmom_shard_opened(struct ratmom_fd *f, struct ratmom_req *r);
void ratmom_shard_closed(struct ratmom_multi *m, struct ratmom_fd *f);
void ratmom_fd_unclog(struct ratmom_multi *m, int32_t fd);
int ratmom_fd_unheard(curl_socket_t fd);
int ratmom_fd_silent(curl_socket_t fd, long seconds);
void ratmom_fd_mute(struct ratmom_multi *m, int32_t fd);
/* Has epoll report, or no longer, that the kernel takes more of what waits for it. */
void ratmom_fd_rewait(struct ratmom_multi *m, int32_t fd);
struct ratmom_multi *ratmom_gather_begin(struct ratmom_multi *m);
void ratmom_gather_end(struct ratmom_multi *m, struct ratmom_multi *outer);
void ratmom_gather_hold(struct ratmom_multi *m, int n);
void ratmom_gather_release(struct ratmom_multi *m);
int ratmom_gather_more(struct ratmom_multi *m, int32_t fd, uint32_t *had);
int ratmom_gather_resume(struct ratmom_multi *m, int32_t fd);
void ratmom_gather_drop(struct ratmom_multi *m, int32_t fd, int closed);
void ratmom_gather_free(struct ratmom_multi *m);
ssize_t ratmom_gather_ended(struct ratmom_multi *m, int32_t fd);
void ratmom_ahead_drop(int fd);
/* n bytes have been read. Returns how many libcurl has of them. */
ssize_t ratmom_head_read(struct ratmom_multi *m, int fd, void *p, ssize_t n);
void ratmom_lowat_clear(struct ratmom_multi *m, curl_socket_t fd);
void ratmom_lowat_drop(struct ratmom_multi *m, curl_socket_t fd);
int64_t ratmom_lowat_expire(struct ratmom_multi *m);
void ratmom_fd_stall(struct ratmom_req *r);
/* Has libcurl read from the request's connection, whether or not something has come. */
void ratmom_wait_kick(struct ratmom_multi *m, struct ratmom_req *r); /* epoll.c, poll.c */
void ratmom_wake_stalled(struct ratmom_multi *m);

#endif
