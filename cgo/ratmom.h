/* The C side of ratmom: one event loop per agent, callbacks that hand nothing to Go,
 * and the memory that both sides share. Go reads the structs below directly. */
#ifndef RATMOM_H
#define RATMOM_H

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

/* Whether we come between libcurl and functions of the C library, gather.c, read_ahead.c,
 * look_once.c, step_clock.c, and of OpenSSL, rebind.c. */
#if defined(__linux__) && defined(__LP64__) && !defined(RATMOM_POLL)
#define RATMOM_BETWEEN_LIBC 1
#else
#define RATMOM_BETWEEN_LIBC 0
#endif

/* The last libcurl of which is known what fields of a head it goes by, head.c, and what it puts
 * into a context of OpenSSL's, tls_context.c. */
#define RATMOM_KNOWN_LIBCURL 0x080eff

/* Of a thread, and there without a call, whoever asks, a signal handler too. */
#define RATMOM_THREAD __thread __attribute__((tls_model("initial-exec")))

/* ---- body memory ---------------------------------------------------------- */

#define RATMOM_CHUNK (64 * 1024) /* payload of a full chunk */

struct ratmom_chunk {
    struct ratmom_chunk *next;
    uint32_t len; /* bytes filled */
    uint32_t cap;
    unsigned char data[];
};

/* That of a small body, with its head: what the C library keeps at hand. */
#define RATMOM_CHUNK_SMALL (1024 - sizeof(struct ratmom_chunk))

struct ratmom_chunk *ratmom_chunk_get(size_t want);
void ratmom_chunk_put(struct ratmom_chunk *list);
void ratmom_chunk_trim(void);

/* What is alive in C, for the leak checks. */
struct ratmom_counts {
    int64_t transfers;
    int64_t multis;
    int64_t links;
    int64_t chunk_bytes;
    int64_t easy_adds; /* transfers ever added */
};
void ratmom_counts_get(struct ratmom_counts *out);

/* curl_global_init with our memory functions, if it is the process's first. */
int ratmom_global_init(void);
/* No transfer is running: memory that was wanted for many can go. */
void ratmom_alloc_idle(void);

/* ---- one request ---------------------------------------------------------- */

enum ratmom_event {
    RATMOM_EV_HEAD = 1,     /* the final head is complete */
    RATMOM_EV_INFO = 2,     /* a 1xx head is in info */
    RATMOM_EV_BODY = 4,     /* body chunks wait in body_first */
    RATMOM_EV_PAUSED = 8,   /* receiving paused at the high-water mark */
    RATMOM_EV_WANT = 16,    /* libcurl wants upload bytes and there are none */
    RATMOM_EV_SPACE = 32,   /* the upload ring has room and its writer waits */
    RATMOM_EV_REWIND = 64,  /* the upload must begin again */
    RATMOM_EV_DEBUG = 128,  /* wire log in debug */
    RATMOM_EV_DONE = 256,   /* the transfer has ended; see result and cause */
    RATMOM_EV_TUNNEL = 512, /* the tunnel is there: take its end */
    RATMOM_EV_DIAL = 1024,  /* libcurl wants a connection: make it, see dial.c */
    RATMOM_EV_SENT = 2048   /* libcurl has taken more of the body */
};

/* Why we ended a transfer ourselves; libcurl only knows "aborted by callback". */
enum ratmom_cause {
    RATMOM_CAUSE_NONE = 0,
    RATMOM_CAUSE_HEAD_TOO_LARGE,
    RATMOM_CAUSE_RESEND,       /* libcurl wanted to send the request again */
    RATMOM_CAUSE_REFUSED,      /* the server says that it has not processed the stream */
    RATMOM_CAUSE_UPLOAD,       /* the request body failed; Go knows why */
    RATMOM_CAUSE_SHORT_UPLOAD, /* the request body ended early */
    RATMOM_CAUSE_MEMORY,
    RATMOM_CAUSE_HEAD_ONLY, /* not a failure: the head was all there is */
    RATMOM_CAUSE_MULTI,     /* the multi handle refused it; see multi_code */
    RATMOM_CAUSE_LOOKUPS,   /* too many look-ups have been left behind */
    RATMOM_CAUSE_HUNG_UP,   /* we had hung up the connection; nothing was sent */
    RATMOM_CAUSE_REWIND,    /* the body had to begin again and cannot */
    RATMOM_CAUSE_LINK_LOST, /* its link's connection cannot be used; nothing was sent */
    RATMOM_CAUSE_REVOKED    /* it was taken back in time; nothing was sent */
};

/* Before each piece of a WebSocket frame between the caller and the loop: flags, bytes
 * that follow, bytes of the frame in further pieces; all uint32. */
#define RATMOM_FRAME_HEAD 12

/* A connection whose bytes are the caller's. */
enum ratmom_tunnel {
    RATMOM_TUNNEL_NONE = 0,
    RATMOM_TUNNEL_SOCKET,    /* they are handed over with the socket */
    RATMOM_TUNNEL_WEBSOCKET, /* libcurl moves frames, see relay.c */
    RATMOM_TUNNEL_RELAY      /* libcurl moves them: there is TLS to the proxy */
};

/* Who may read a body in memory. */
enum ratmom_mem { RATMOM_MEM_FREE = 0, RATMOM_MEM_READ, RATMOM_MEM_BACK /* the caller's */ };

enum ratmom_upload { RATMOM_UP_NONE = 0, RATMOM_UP_MEMORY, RATMOM_UP_RING };

struct ratmom_buf {
    char *p;
    size_t len, cap;
};

struct ratmom_addr { /* 0: none, 4: IPv4, 6: IPv6 */
    uint8_t ip[16];
    uint16_t port;
    uint16_t family;
};

struct ratmom_info { /* microseconds and bytes; filled at the end; -1: this libcurl has it not */
    int64_t queue, posttransfer, conn_id;
    int64_t namelookup, connect, appconnect, pretransfer, starttransfer, total;
    int64_t sent, received, request_size, header_size;
    int64_t http_version, connect_code, os_errno, num_connects, verify_result;
};

struct ratmom_multi;
struct ratmom_io;
struct ratmom_batch;
struct ratmom_lane;
struct ratmom_crowd;
struct ratmom_origin;
struct ratmom_relay;

enum ratmom_link_event {
    RATMOM_LINK_UP = 1,  /* it has a connection, and a new one if it had one */
    RATMOM_LINK_DOWN = 2 /* the connection is closed */
};

/* One connection as a thing of its own, see links.c. */
struct ratmom_link {
    uint32_t slot; /* where Go keeps it */
    uint32_t events;
    struct ratmom_link *next_event;
    CURLSH *share;
    struct curl_slist *to;
    uint32_t named; /* to is a name, not an address */
    uint32_t users; /* transfers that are for it */
    uint32_t closing;
    int32_t fd;   /* -1: none */
    uint32_t rtt; /* as the kernel estimates it at first, in microseconds; 0: not known */
    struct ratmom_addr local, remote;
};

/* Whether a transfer can still be taken back; decided by a compare-and-swap. */
enum ratmom_commit { RATMOM_UNCOMMITTED = 0, RATMOM_COMMITTED, RATMOM_REVOKED };

struct ratmom_req {
    /* set by Go before the transfer is added */
    uint64_t id;
    uint32_t slot; /* where Go keeps the handler */
    uint32_t want_info;
    uint64_t high_water;
    uint64_t max_head;
    uint32_t auth_armed;  /* libcurl may answer a 401 or 407 itself */
    uint32_t expect_sent; /* libcurl may answer a 417 itself */
    uint32_t may_resend;  /* watch for REFUSED_STREAM and GOAWAY */
    uint32_t upload_kind;
    uint32_t rewindable;
    uint32_t debug_on;
    uint32_t exact;        /* times are measured, see step_clock.c */
    uint32_t limited;      /* its speed is limited, on a libcurl that forgets it */
    uint32_t head_only;    /* end at the head: a HEAD request with a body */
    uint32_t has_trailers; /* request trailers will follow the body */
    uint32_t tls;
    uint32_t tls_in_tls; /* libcurl loses why a certificate is refused, see remarks.c */
    uint32_t want_certs; /* collect the server's certificates */
    uint32_t want_sent;  /* tell how far the body is */
    uint32_t tunnel;     /* one of enum ratmom_tunnel */
    uint64_t origin;     /* a hash of where it goes, and of serial */
    uint64_t kin;        /* a hash of what else decides whether two can share a connection */
    uint64_t tls_config; /* a hash of its options for TLS; 0: speaks none; 1: shares nothing */
    uint32_t serial;     /* it cannot share a connection with others at once */

    /* read by Go after a step */
    uint32_t events;
    int32_t result;
    int32_t multi_code;
    uint32_t cause;
    uint32_t status; /* of the head being collected */
    uint32_t reused; /* the connection was there before */
    uint32_t recv_paused, send_paused;
    int32_t tunnel_fd; /* the caller's end of a tunnel; -1: none, or taken */
    int32_t dial_fd;   /* the socket that waits for the connection dial_id */
    uint64_t dial_id;  /* 0: none does */
    struct ratmom_buf head, info, trailer, debug;
    struct ratmom_buf certs; /* of the server, in PEM */
    struct ratmom_chunk *body_first, *body_last;
    uint64_t body_new; /* bytes in body_first.. */
    int64_t buffered;  /* atomic: bytes received and not read by the user yet */
    uint64_t received; /* body bytes in all */
    struct ratmom_lowat {
        uint64_t at;    /* when so many have been received, */
        uint64_t bytes; /* of which so many */
        int64_t since;  /* after this time, it is to be decided: lowat.c */
        uint32_t tries; /* that were in vain */
    } lowat;
    uint64_t head_bytes; /* head bytes in all, 1xx too */
    int64_t t_sent;      /* ns: when the request's body had been handed over */
    int64_t t_recv;      /* ns: last bytes */
    struct ratmom_addr local, remote;
    struct ratmom_info infos;
    char errbuf[CURL_ERROR_SIZE];

    /* upload from memory (pinned by Go) */
    const unsigned char *mem;
    uint64_t mem_len, mem_off;
    uint32_t mem_use; /* atomic: one of enum ratmom_mem */
    /* upload through a ring: Go writes at tail, the read callback takes at head */
    unsigned char *ring;
    uint64_t ring_cap; /* a power of two */
    uint64_t ring_head, ring_tail;
    int64_t ring_total, ring_left; /* bytes owed in all and still; -1 unknown */
    uint32_t ring_eof, ring_fail, ring_starved, ring_full, ring_rewind, ring_asked;
    struct curl_slist *trailers; /* request trailers, given to libcurl once */
    struct curl_slist *headers;  /* of the request; one block with its strings */

    /* C's own */
    CURL *easy;
    struct ratmom_multi *multi;
    struct ratmom_multi *closer;    /* is told of closed sockets */
    uint32_t flushing;              /* take what libcurl holds of a stream that was paused */
    struct ratmom_req *prev, *next; /* all that run in the multi, or begin later */
    uint32_t head_state;            /* 0 want status line, 1 in head, 2 body */
    uint32_t head_held;             /* complete, but libcurl may try again */
    uint32_t head_whole;            /* taken at once, and libcurl is being shown its part of it */
    uint32_t info_free;             /* 1xx heads do not count */
    uint32_t discard;
    uint64_t discard_left;
    uint32_t prereqs, heads_since, resends, in_multi;
    uint32_t alert;        /* of TLS, the last fatal one that we sent */
    uint64_t answer_bytes; /* see early_end.c: of the answer's body, as the frames have it */
    int32_t answer_heads;  /* heads and trailers that have come and are not out */
    uint32_t answer_ended; /* its last frame has come, and is in order */
    uint32_t answer_whole; /* and then its server has reset the upload */
    uint32_t answer_held;  /* libcurl does not know that the stream is closed */
    uint32_t refused;      /* the server has said that it has not processed the stream */
    uint32_t stream;       /* HTTP/2 stream of the running sending; 0: none or not known */
    uint32_t wary;         /* counted as such by its connection */
    uint32_t loud;         /* tells of a GOAWAY for the sake of others */
    uint32_t adrift;       /* libcurl has given up the connection that fd names */
    uint32_t unended;      /* the end of the body is not sent by itself, see loop.c */
    uint32_t end_now;      /* and now may be, if no more than this was read meanwhile: */
    int64_t taken;
    int32_t fd;
    uint32_t fd_gen;
    int32_t opened[8];
    uint32_t nopened;
    int32_t no_socket; /* errno of the last socket that could not be made */
    void **owned;      /* other slists and bodies that libcurl does not copy */
    uint32_t nowned, cap_owned;
    int64_t buf_size;           /* the receive buffer that the easy handle may still hold */
    uint32_t ran;               /* the easy handle has run before */
    uint32_t guarded;           /* see guard in transfer.c */
    uint32_t stained;           /* a reset will not make the easy handle forget this use */
    uint32_t lane;              /* see lanes.c */
    uint32_t shard;             /* see shards.c */
    struct ratmom_origin *at;   /* likewise; NULL: not counted */
    uint32_t pipewait;          /* CURLOPT_PIPEWAIT */
    struct ratmom_crowd *crowd; /* see crowd.c; NULL: none */
    uint32_t in_crowd;          /* it is held there, and prev and next are others like it */
    int64_t waited;             /* ns: how long it was */
    uint32_t eager;             /* it does not wait, whatever pipewait says */
    uint32_t connects;          /* has a connection made, see step_clock.c */
    uint32_t makes, ready;      /* it makes a connection; it has been given one */
    uint32_t borrows;           /* it looks for a place on connections of others */
    uint32_t counted;           /* among the paused streams of its connection */
    uint32_t looking;           /* its host is being looked up, see lookup.c */
    uint32_t proxy;             /* likewise */
    uint32_t elsewhere;         /* it connects to another host than the URL's */
    uint32_t fresh, forbid;     /* both: no other is to use its connection, see lanes.c */
    uint32_t tos;               /* of the sockets opened for it */
    uint32_t dials;             /* its connections are made elsewhere, see dial.c */
    uint32_t held;              /* a tunnel whose connection is being made */
    struct ratmom_relay *relay; /* see relay.c */
    struct ratmom_link *link;   /* see links.c */
    uint32_t bound;             /* must not make a connection */
    uint32_t commit;            /* atomic: one of enum ratmom_commit */
    uint32_t later;             /* has not begun, see later.c */
    uint32_t first;             /* on its connection, over TLS: see tls_buffers.c */
    int64_t first_at;           /* when it was sent */
};

/* ---- packed options ------------------------------------------------------- */

enum ratmom_opkind {
    RATMOM_OP_LONG = 1,
    RATMOM_OP_OFFT,
    RATMOM_OP_STRING,
    RATMOM_OP_NULL,
    RATMOM_OP_LIST,
    RATMOM_OP_BLOB,
    RATMOM_OP_POINTER
};

struct ratmom_req *ratmom_req_new(CURL *easy);
void ratmom_req_free(struct ratmom_req *r);
/* Forgets the last request; keep leaves the options as they are. */
void ratmom_req_reset(struct ratmom_req *r, int keep);
/* Returns 0, or the CURLcode with *bad_option set. */
int ratmom_req_setup(struct ratmom_req *r, const unsigned char *ops, size_t len, int warm,
                     int *bad_option);
int ratmom_req_body(struct ratmom_req *r, const unsigned char *p, size_t len);
int ratmom_req_trailers(struct ratmom_req *r, const unsigned char *items, size_t len, int n);
/* Whether the easy handle is fit for another use. */
int ratmom_req_reusable(const struct ratmom_req *r);
int ratmom_req_ring(struct ratmom_req *r, uint64_t cap);
void ratmom_req_infos(struct ratmom_req *r);

/* ---- the loop ------------------------------------------------------------- */

enum ratmom_recheck {
    RATMOM_RECHECK_NEW = 1, /* for those that had no connection yet */
    RATMOM_RECHECK_ALL = 2
};

struct ratmom_multi {
    CURLM *m;
    struct ratmom_req **adds; /* filled by Go, taken by the next step */
    uint32_t cap_adds;
    int32_t nadds, added, park;            /* of the step */
    struct ratmom_req *later, *later_last; /* see later.c */
    int32_t chosen;                        /* the step has been asked for its share of them */
    struct ratmom_req **events;            /* what happened in the step */
    uint32_t nevents, cap_events;
    struct ratmom_req *live;
    uint32_t nlive;
    uint32_t nlimited;  /* of them, with limited set */
    int nudged;         /* the next timer is one that ratmom_nudge set */
    uint32_t nwaiting;  /* of them, without a connection yet */
    uint32_t nshaking;  /* and of those, with tls set */
    uint32_t ntunnels;  /* of nlive, tunnels */
    uint32_t nheld;     /* of them, such as early_end.c keeps open */
    int held_moved;     /* of one of those, more has come out */
    uint32_t nfirst;    /* of them, with first set */
    uint64_t dial_id;   /* of the last connection that was asked for */
    uint64_t *given_up; /* those that nobody waits for any more; taken by Go */
    uint32_t ngiven_up, cap_given_up;
    uint32_t recheck; /* some may have one now, see loop.c */
    uint32_t unended; /* some request has this set */
    uint32_t stalled; /* some socket has this set */
    uint64_t heard;   /* lines of heads and pieces of bodies so far */
    CURL *probe;
    int32_t multi_code;  /* last failure of the loop itself */
    int64_t now;         /* ns, monotonic, of this step */
    int64_t deadline;    /* libcurl's timer; INT64_MAX when off */
    int64_t go_deadline; /* Go's, of the last step */
    uint32_t nready;     /* sockets and wake-ups seen in the step */
    uint32_t urgent;     /* something other than body bytes has happened */
    uint32_t crowded;    /* more sockets may be ready than the step has found */
    uint32_t truncated;  /* the step stopped before all were served */
    uint32_t read_calls; /* read callbacks so far */
    uint32_t starts;     /* additions, look-ups, sockets and sendings so far */
    struct ratmom_look {
        int32_t fd;      /* that a transfer was given since libcurl has looked; -1: none */
        uint64_t heard;  /* until then */
        uint64_t spared; /* looks that needed no system call, see look_once.c */
    } look;
    struct ratmom_clock {
        struct {
            uint32_t left; /* so often yet libcurl has the same time */
            int64_t at;    /* ns: this */
        } last[2];         /* of CLOCK_MONOTONIC, and the raw one */
        uint32_t stands;   /* libcurl has the same time several times, see step_clock.c */
        uint32_t exact;    /* not while this is more than 0 */
        int32_t udp;       /* nor ever again */
        uint64_t spared;   /* readings that were not made */
    } clock;
    struct ratmom_tls {
        uint64_t config; /* that most transfers have that speak TLS, see tls_context.c */
        uint32_t all;    /* of those */
        uint32_t same;   /* of them, those that have it */
        uint32_t left;   /* how many have left since they were counted */
        void *ctx;       /* the SSL_CTX */
        uint64_t ctx_config;
        uint32_t given;  /* to how many connections */
        uint32_t loaded; /* the first of them has added to its store */
        uint64_t spared; /* that were not made */
    } tls;
    struct ratmom_cert *certs; /* see tls_certs.c */
    uint64_t certs_known;      /* that were not parsed */
    uint64_t steps, wakeups, epoll_ctls, beats, heads, empties, lowat_sets, gathered, sends,
        blocked;
    int64_t beat;    /* when Go last had a sign of this step; 0: outside of one */
    uint32_t worked; /* since the clock was last looked at, see beat.c */
    int32_t epfd, evfd, tmfd;
    struct ratmom_batch *batch;
    struct ratmom_io *io;
    int64_t armed;                       /* when the timerfd fires; INT64_MAX when off */
    int64_t mend;                        /* when changes of the epoll set are to be made up for */
    uint32_t max_paused;                 /* streams of a connection; 0: any number. Set by Go */
    struct ratmom_out *outs, *out_spare; /* of sockets that have some, see gather.c */
    int out_hold;                        /* there will be more right away */
    int out_since;                       /* transfers that have begun since it was last sent */
    struct ratmom_lane *lanes;
    int64_t swept;       /* when unused lanes were looked for */
    uint32_t lanes_dead; /* in one of them all connections have ended */
    struct ratmom_origin **origins;
    struct ratmom_crowd *crowds;  /* somebody in them may go */
    struct ratmom_crowd *holding; /* they hold somebody, or have */
    int32_t read_fd;              /* that was read last; -1: none, or not known */
    uint64_t hidden;              /* heads of which libcurl was shown a part, see head.c */
    int32_t empty;      /* has no more to read, in the present call; -1: not known of any */
    int64_t fast_ns;    /* in which so much of a body is fast; 0: as usual. Set by Go */
    int32_t lowats;     /* a list of sockets that do not report each byte; -1: none */
    int64_t hasten;     /* when they are to be looked at for that */
    uint32_t conns;     /* of them all, without such as we have shut down */
    uint32_t max_conns; /* to keep; 0: libcurl's default */
    uint32_t bounded;   /* libcurl counts the connections, so that all are in its pool */
    int32_t trimmed;    /* the last socket that was looked at for that */
    struct ratmom_link *link_events;
    uint32_t max_lookups;  /* that may be left behind; 0: any number. Set by Go */
    uint32_t left_lookups; /* left behind, at the most */
    uint32_t nlookups;     /* that somebody waits for */
    int64_t counted;       /* when left_lookups was exact */
    uint32_t named;        /* this thread has the name below */
    char lookup_name[16], old_name[16];
};

struct ratmom_multi *ratmom_multi_new(void);
void ratmom_multi_free(struct ratmom_multi *m);
int ratmom_multi_setopt(struct ratmom_multi *m, int option, long value);
/* One turn: add nadds transfers, run what is ready, collect events. go_deadline
 * is the next moment Go wants to be woken, in ns; park is set when the caller
 * will sleep if nothing happened. */
int ratmom_step(struct ratmom_multi *m, int nadds, int64_t go_deadline, int park);
/* Goes on with the turn. Both return 1 until the turn is over: they come back after a
 * few sockets or additions, since Go's scheduler takes the processor of a call into C
 * away when it lasts longer than 20 us, and to get it back costs more than a call. */
int ratmom_step_on(struct ratmom_multi *m);
void ratmom_unpause(struct ratmom_req *r, int recv, int send);
void ratmom_cancel(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_remove(struct ratmom_multi *m, struct ratmom_req *r);
int ratmom_close_idle(struct ratmom_multi *m);
/* The connection id is there: its socket is fd, which is closed in any case. Returns 0 if
 * nobody waits for it any more. */
int ratmom_dial_done(struct ratmom_multi *m, int32_t at, uint64_t id, int32_t fd,
                     const struct ratmom_addr *local, const struct ratmom_addr *remote);
/* It will not come. */
void ratmom_dial_failed(struct ratmom_multi *m, int32_t at, uint64_t id);
/* How many are known to wait for it; -1: libcurl does not want it any more. */
int ratmom_dial_users(const struct ratmom_multi *m, int32_t at, uint64_t id);
/* Has the end of the socketpair that is the connection id be a reset. */
void ratmom_dial_poke(struct ratmom_multi *m, int32_t at, uint64_t id);
/* Whether this libcurl takes a socket that is connected already. */
int ratmom_dial_probe(void);
struct ratmom_link *ratmom_link_new(const char *to, int named);
void ratmom_link_free(struct ratmom_link *l);
void ratmom_link_close(struct ratmom_multi *m, struct ratmom_link *l);
struct ratmom_link *ratmom_link_event(struct ratmom_multi *m, uint32_t *events);
int64_t ratmom_now(void); /* the time, even within a call of libcurl */
/* The portable twin only. */
void ratmom_poll_wait(struct ratmom_multi *m);
void ratmom_poll_wake(struct ratmom_multi *m);

/* Go's, and does nothing: see beat.c. */
void ratmom_beat(void);

/* Between the C files. */
void ratmom_beat_begin(struct ratmom_multi *m);
void ratmom_beat_work(struct ratmom_multi *m, size_t n);
void ratmom_beat_end(struct ratmom_multi *m);
void ratmom_nudge(struct ratmom_multi *m);
void ratmom_mark(struct ratmom_req *r, uint32_t ev);
unsigned ratmom_version(void);
/* Whose loop has called libcurl; NULL: somebody else has. */
extern RATMOM_THREAD struct ratmom_multi *ratmom_driving;
CURLMcode ratmom_drive(struct ratmom_multi *m, curl_socket_t fd, int mask);
CURLSHcode ratmom_share_close(struct ratmom_multi *m, CURLSH *share);
/* Tells libcurl which directions of the transfer are paused. */
void ratmom_repause(struct ratmom_req *r);
/* Pauses a direction that is not paused and lifts that again: libcurl then looks what
 * there is to do for the transfer. */
void ratmom_toggle(struct ratmom_req *r, int direction);
int ratmom_answered(struct ratmom_req *r, CURLcode result);
int ratmom_of_old_libcurl(void *f);
int ratmom_takes_part(void *f);
struct ratmom_req *ratmom_req_of(void *session, int32_t stream);
int ratmom_ahead(int fd); /* whether bytes of the socket are there that the kernel has not */
#define RATMOM_LOWAT_FIRST (256 << 10) /* bytes of a body, before they can have come fast */
void ratmom_lowat_look(struct ratmom_req *r);
void ratmom_look_begin(struct ratmom_multi *m);
void ratmom_look_sent(struct ratmom_req *r);
void ratmom_head_await(struct ratmom_req *r);
void ratmom_head_leave(struct ratmom_req *r);
void ratmom_tls_enter(struct ratmom_multi *m, const struct ratmom_req *r);
void ratmom_tls_exit(struct ratmom_multi *m, const struct ratmom_req *r);
void ratmom_tls_free(struct ratmom_multi *m);
void ratmom_tls_certs_free(struct ratmom_multi *m);
void ratmom_clock_begin(struct ratmom_multi *m);
void ratmom_clock_enter(struct ratmom_multi *m, const struct ratmom_req *r);
void ratmom_clock_leave(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_clock_connects(struct ratmom_req *r, int udp); /* its host may be looked up */
void ratmom_clock_connected(struct ratmom_req *r);
void ratmom_end_held(struct ratmom_multi *m);
void ratmom_baseline(struct ratmom_req *r);
int ratmom_buf_add(struct ratmom_buf *b, const char *p, size_t n);
size_t ratmom_stop(struct ratmom_req *r, uint32_t cause); /* from inside a callback */
size_t ratmom_on_read(char *p, size_t size, size_t nitems, void *user);
int ratmom_on_seek(void *user, curl_off_t offset, int origin);
int ratmom_on_trailer(struct curl_slist **list, void *user);
int ratmom_on_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *user);
int ratmom_wait_open(struct ratmom_multi *m); /* epoll.c or poll.c */
void ratmom_wait_close(struct ratmom_multi *m);
void ratmom_wait_begin(struct ratmom_multi *m);
int ratmom_wait_serve(struct ratmom_multi *m); /* one socket; 0: there is none left */
void ratmom_wait_expire(struct ratmom_multi *m);
int ratmom_wait_settled(struct ratmom_multi *m); /* libcurl's timer tells all there is to do */
void ratmom_wait_end(struct ratmom_multi *m, int park);
void ratmom_io_callbacks(struct ratmom_req *r);
void ratmom_io_assign(struct ratmom_req *r, const char *local_ip, int local_port,
                      const char *remote_ip, int remote_port);
void ratmom_fd_left(struct ratmom_multi *m, int32_t fd, uint32_t gen);
void ratmom_io_release(struct ratmom_req *r);
void ratmom_alert_explain(struct ratmom_req *r);
void ratmom_certs_take(struct ratmom_req *r);
void ratmom_later_choose(struct ratmom_multi *m);
void ratmom_later_leave(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_tls_sent(struct ratmom_req *r);
void ratmom_tls_leave(struct ratmom_req *r);
void ratmom_tls_heard(struct ratmom_multi *m, curl_socket_t fd);
void ratmom_tls_heard_all(struct ratmom_multi *m);
void ratmom_tls_answered(struct ratmom_req *r);
int ratmom_dial_waits(const struct ratmom_req *r);
void ratmom_io_http2(struct ratmom_req *r);
void ratmom_io_speaks_http2(CURL *easy);
void ratmom_io_listen(struct ratmom_req *r);
int ratmom_io_hungup(struct ratmom_req *r);
size_t ratmom_io_piece(struct ratmom_req *r, size_t n);
int64_t ratmom_fd_taken(curl_socket_t fd);
int ratmom_io_udp(struct ratmom_req *r);
void ratmom_io_paused(struct ratmom_req *r);
void ratmom_io_resumed(struct ratmom_req *r);
int ratmom_tunnel_begin(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_finish(struct ratmom_multi *m, struct ratmom_req *r, CURLcode result);
void ratmom_relay_run(struct ratmom_multi *m, struct ratmom_req *r, int gone);
int ratmom_relay_gone(const struct ratmom_req *r);
void ratmom_relay_leave(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_relay_free(struct ratmom_req *r);
void ratmom_lane_enter(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_lane_leave(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_lanes_free(struct ratmom_multi *m);
void ratmom_lanes_bury(struct ratmom_multi *m);
uint32_t ratmom_lanes_open(const struct ratmom_multi *m);
uint32_t ratmom_shard_enter(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_shard_leave(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_shard_learn(struct ratmom_req *r, char version);
int ratmom_crowd_hold(struct ratmom_multi *m, struct ratmom_req *r);
struct ratmom_req *ratmom_crowd_next(struct ratmom_multi *m);
void ratmom_crowd_hasten(struct ratmom_multi *m);
uint32_t ratmom_crowd_going(const struct ratmom_multi *m);
void ratmom_crowd_makes(struct ratmom_req *r);
void ratmom_crowd_ready(struct ratmom_req *r);
void ratmom_crowd_leave(struct ratmom_multi *m, struct ratmom_req *r);
void ratmom_shards_trim(struct ratmom_multi *m);
void ratmom_shards_free(struct ratmom_multi *m);
int ratmom_link_enter(struct ratmom_req *r);
void ratmom_link_leave(struct ratmom_multi *m, struct ratmom_req *r);
uint32_t ratmom_commit(struct ratmom_req *r);
void ratmom_lookup_callbacks(struct ratmom_req *r);
void ratmom_lookup_proxy(struct ratmom_req *r, const char *proxy);
void ratmom_lookup_end(struct ratmom_req *r);
void ratmom_lookup_leave(struct ratmom_req *r);
void ratmom_lookup_unname(struct ratmom_multi *m);
int64_t *ratmom_count_multis(void);
void ratmom_count_transfer(int d);
void ratmom_count_add(void);
void ratmom_count_link(int d);

#endif
