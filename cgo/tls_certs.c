/* The certificates of servers, parsed once.
 *
 * OpenSSL 3 looks up how to read the public key of each certificate anew, in all of its providers:
 * that is a fifth of a full handshake. A server has the same ones in each, and many servers have
 * those of a few authorities behind their own. So ratmom, which stands between libssl and libcrypto
 * here (rebind.c), gives libssl what was made of the same bytes before. OpenSSL
 * shares such objects among the connections of a resumed session and, those of authorities, among
 * all that have a store: what it works out from one it keeps under a lock. */
#define _GNU_SOURCE
#include "openssl.h"
#include "ratmom.h"

#if RATMOM_BETWEEN_LIBC

#include <stdlib.h>
#include <string.h>

#define KEPT 64        /* of a multi; one more takes the place of another */
#define MOST (8 << 10) /* bytes of one */
#define END 16         /* of them, as its number: the end of a signature is like a hash */

struct ratmom_cert {
    void *x;
    unsigned char *der;
    long len;
};

static struct ratmom_cert *place(struct ratmom_multi *m, const unsigned char *der, long len) {
    uint64_t n[END / 8];
    if (len < END || len > MOST)
        return NULL;
    if (!m->certs && !(m->certs = calloc(KEPT, sizeof(*m->certs))))
        return NULL;
    memcpy(n, der + len - END, END);
    n[0] = (n[0] ^ n[1] ^ (uint64_t)len) * 0x9e3779b97f4a7c15u;
    return &m->certs[n[0] >> 32 & (KEPT - 1)];
}

static void forget(struct ratmom_cert *c, const struct ratmom_openssl *o) {
    if (c->x)
        o->cert.free(c->x);
    free(c->der);
    memset(c, 0, sizeof(*c));
}

static void keep(struct ratmom_cert *c, const struct ratmom_openssl *o, void *x,
                 const unsigned char *der, long len) {
    forget(c, o);
    unsigned char *copy = malloc((size_t)len);
    if (!copy || !o->cert.up_ref(x)) {
        free(copy);
        return;
    }
    memcpy(copy, der, (size_t)len);
    *c = (struct ratmom_cert){x, copy, len};
}

static void *parse(struct ratmom_multi *m, const struct ratmom_openssl *o, void **to,
                   const unsigned char **in, long len) {
    const unsigned char *der = *in;
    struct ratmom_cert *c = place(m, der, len);
    if (c && c->x && c->len == len && !memcmp(c->der, der, (size_t)len) && o->cert.up_ref(c->x)) {
        if (to && *to)
            o->cert.free(*to);
        if (to)
            *to = c->x;
        *in += len;
        m->certs_known++;
        return c->x;
    }
    void *x = o->cert.parse(to, in, len);
    if (x && c && *in == der + len)
        keep(c, o, x, der, len);
    return x;
}

void *ratmom_cert_parse(void **x, const unsigned char **in, long len) {
    const struct ratmom_openssl *o = ratmom_openssl();
    return ratmom_driving ? parse(ratmom_driving, o, x, in, len) : o->cert.parse(x, in, len);
}

void ratmom_tls_certs_free(struct ratmom_multi *m) {
    for (int i = 0; m->certs && i < KEPT; i++)
        forget(&m->certs[i], ratmom_openssl());
    free(m->certs);
    m->certs = NULL;
}
#else
void ratmom_tls_certs_free(struct ratmom_multi *m) { (void)m; }
#endif
