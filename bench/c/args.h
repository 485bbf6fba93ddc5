/* The command line of cpeer. */
#ifndef BENCH_ARGS_H
#define BENCH_ARGS_H

struct args {
    const char *url, *ca, *warm_url;
    long requests, warmup, buffer;
    long naps; /* µs: a thread sleeps so long over and over; 0: none */
    long long upload;
    int inflight, http2, http3;
    int lazy;               /* sockets stay in the epoll set; no look into the environment */
    int tuned;              /* and: options set once, parsed URLs, an allocator */
    int fresh;              /* a new connection for each request */
    int cold;               /* making the client belongs to what is measured */
    int can_http3, version; /* only tell that */
};

/* Ends the program if there is something wrong with them. */
struct args args_parse(int argc, char **argv);

#endif
