/* A buffer of OpenSSL's for which a connection that waits has no use.
 *
 * The tickets of TLS 1.3 come behind the handshake. To read one, OpenSSL 3.0 begins as for
 * a handshake, with both buffers of a connection, and that for sending, 16 KiB, stays until
 * the connection sends something again: while the first request waits for its answer, and
 * for as long as the connection is idle after it. SSL_MODE_RELEASE_BUFFERS, which libcurl
 * sets, lets go what was sent, and nothing was. So the loop frees both when something has come for
 * the first request on a connection, if there is nothing in them; OpenSSL makes them again when it
 * needs them.
 *
 * That costs a request on a connection that was there before nothing. */
#include "openssl.h"
#include "sockets.h"

#ifdef __linux__

#include <string.h>

#define TICKETS_NS 5000000000ll /* later than this none are expected */

static const struct ratmom_openssl *openssl(void) {
    const struct ratmom_openssl *o = ratmom_openssl();
    return o && o->free_buffers ? o : NULL;
}

/* The SSL of r's connection; with TLS to a proxy as well it is one of the two. Not to be
 * kept: it is libcurl's. */
static void *ssl_of(struct ratmom_req *r) {
    struct curl_tlssessioninfo *tls = NULL;
    if (curl_easy_getinfo(r->easy, CURLINFO_TLS_SSL_PTR, &tls) || !tls ||
        tls->backend != CURLSSLBACKEND_OPENSSL)
        return NULL;
    return tls->internals;
}

/* Notes that r has been sent. */
void ratmom_tls_sent(struct ratmom_req *r) {
    if (!r->multi || r->fd < 0)
        return;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (f->sent_on)
        return;
    f->sent_on = 1;
    if (f->udp || !openssl() || !ssl_of(r))
        return;
    f->first = r;
    r->first = 1;
    r->first_at = r->multi->now;
    r->multi->nfirst++;
}

/* r is on the connection no more, or its answer is there. */
void ratmom_tls_leave(struct ratmom_req *r) {
    if (!r->first)
        return;
    struct ratmom_fd *f = &r->multi->io->fds[r->fd];
    if (f->first == r)
        f->first = NULL;
    r->first = 0;
    r->multi->nfirst--;
}

/* Something has come for r, or may have. Before 3.0.14 SSL_free_buffers itself does not see that a
 * buffer is in use when the head of a record has been looked at and the rest is not there, nor when
 * a part of a record has been given out (CVE-2024-4741): it is not called then. */
static void heard(struct ratmom_req *r) {
    void *ssl;
    if (r->multi->now - r->first_at > TICKETS_NS)
        ratmom_tls_leave(r);
    else if ((ssl = ssl_of(r)) && !strcmp(openssl()->state(ssl), "RH") &&
             !openssl()->has_pending(ssl))
        openssl()->free_buffers(ssl);
}

void ratmom_tls_heard(struct ratmom_multi *m, curl_socket_t fd) {
    struct ratmom_fd *f = ratmom_fd_at(m, fd);
    if (f && f->first)
        heard(f->first);
}

void ratmom_tls_heard_all(struct ratmom_multi *m) {
    for (struct ratmom_req *r = m->live; r && m->nfirst; r = r->next)
        if (r->first)
            heard(r);
}

/* The answer begins: where it comes together with the tickets, this is the last occasion. */
void ratmom_tls_answered(struct ratmom_req *r) {
    heard(r);
    ratmom_tls_leave(r);
}

#else
void ratmom_tls_sent(struct ratmom_req *r) { (void)r; }
void ratmom_tls_leave(struct ratmom_req *r) { (void)r; }
void ratmom_tls_answered(struct ratmom_req *r) { (void)r; }
void ratmom_tls_heard_all(struct ratmom_multi *m) { (void)m; }
#endif
