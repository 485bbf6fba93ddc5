/* Making sockets: close-on-exec and non-blocking, which libcurl's own are not everywhere. */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SOCK_CLOEXEC
static void tame(int fd) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}
#endif

int ratmom_pair_open(int fds[2]) {
#ifdef SOCK_CLOEXEC
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds);
#else
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds))
        return -1;
    for (int i = 0; i < 2; i++) {
        tame(fds[i]);
#ifdef SO_NOSIGPIPE
        int one = 1;
        setsockopt(fds[i], SOL_SOCKET, SO_NOSIGPIPE, &one, sizeof(one));
#endif
    }
    return 0;
#endif
}

/* Sets the type of service. */
static int mark_packets(curl_socket_t fd, int family, int tos) {
    switch (family) {
    case AF_INET:
        return setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
#ifdef IPV6_TCLASS
    case AF_INET6:
        return setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
#endif
    }
    return 0;
}

curl_socket_t ratmom_socket_open(void *p, curlsocktype purpose, struct curl_sockaddr *a) {
    struct ratmom_req *r = p;
    (void)purpose;
    if (r->bound) { /* its connection is gone, or is not for it */
        ratmom_stop(r, !r->prereqs  ? RATMOM_CAUSE_LINK_LOST
                       : r->refused ? RATMOM_CAUSE_REFUSED
                                    : RATMOM_CAUSE_RESEND);
        return CURL_SOCKET_BAD;
    }
    ratmom_crowd_makes(r);
    ratmom_clock_connects(r, a->socktype == SOCK_DGRAM);
    if (r->dials)
        return ratmom_dial_open(r);
#ifdef SOCK_CLOEXEC
    int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
#else
    int fd = socket(a->family, a->socktype, a->protocol);
    if (fd >= 0)
        tame(fd);
#endif
    r->no_socket = fd < 0 ? errno : 0;
    if (fd >= 0 && r->tos && mark_packets(fd, a->family, (int)r->tos)) {
        r->no_socket = errno;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    if (fd < 0 || !r->multi)
        return fd < 0 ? CURL_SOCKET_BAD : fd;
    if (!ratmom_fd_at(r->multi, fd)) {
        r->no_socket = ENOMEM;
        close(fd);
        return CURL_SOCKET_BAD;
    }
    struct ratmom_fd *f = ratmom_fd_renew(r->multi, fd);
    r->multi->starts++;
    ratmom_lookup_end(r);
    f->ours = 1;
    ratmom_fd_opened(r->multi, f, r);
    f->next = -1;
    f->udp = a->socktype == SOCK_DGRAM;
    f->local = a->family == AF_UNIX;
    r->opened[r->nopened++ % 8] = fd;
    return fd;
}
