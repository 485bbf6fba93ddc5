/* What OpenSSL makes for a TLS configuration, and libcurl for each connection.
 *
 * An SSL_CTX has the ciphers, groups and signature algorithms, all of them looked up in OpenSSL's
 * providers: a third of the work of a handshake that resumes a session. OpenSSL means it to be made
 * once. So ratmom, which stands between libcurl and OpenSSL here (rebind.c), gives out the one it
 * has if it can be no other configuration's.
 *
 * libcurl calls SSL_CTX_new without a word of who it is for. So it is given only while all
 * transfers of the multi that speak TLS do so with the same options (tls_context.go): whichever
 * connects, it is for that configuration. What libcurl sets in it then it sets anew, to the same.
 * Some things it cannot: what it would only add to (a client's certificate has a chain) and what
 * belongs to a transfer (a password) makes a configuration that shares nothing; what tells of a
 * connection in the log is taken out here.
 *
 * And the store of authorities is libcurl's own affair: it puts one that it keeps into each context
 * (CURLOPT_CA_CACHE_TIMEOUT), or else asks for the context's and adds to that. A context whose
 * connection did the latter is not given to another one, or a store would never lose what it
 * once had: contexts are shared whose first connection has had a store that was there. When that is
 * too old, libcurl asks again, and gets a new one. */
#define _GNU_SOURCE
#include "openssl.h"
#include "ratmom.h"

enum { NONE = 0, ALONE = 1 }; /* r->tls_config; all else is a hash of the options */

/* r is in the multi. */
void ratmom_tls_enter(struct ratmom_multi *m, const struct ratmom_req *r) {
    struct ratmom_tls *t = &m->tls;
    if (r->tls_config == NONE)
        return;
    if (!t->all) {
        t->config = r->tls_config;
        t->left = 0;
    }
    t->all++;
    t->same += r->tls_config == t->config;
}

/* Those that remain may be of one configuration, again. To count them costs as much as the
 * leaving of as many. */
static void recount(struct ratmom_multi *m) {
    struct ratmom_tls *t = &m->tls;
    t->left = t->same = 0;
    t->config = NONE;
    for (const struct ratmom_req *r = m->live; r; r = r->next) {
        if (t->config == NONE)
            t->config = r->tls_config;
        t->same += r->tls_config != NONE && r->tls_config == t->config;
    }
}

/* r is out of the multi, and of the list of those that run. */
void ratmom_tls_exit(struct ratmom_multi *m, const struct ratmom_req *r) {
    struct ratmom_tls *t = &m->tls;
    if (r->tls_config == NONE)
        return;
    t->all--;
    t->same -= r->tls_config == t->config;
    if (!t->all)
        t->config = NONE;
    if (t->same < t->all && ++t->left >= t->all)
        recount(m);
}

#if RATMOM_BETWEEN_LIBC

static void drop(struct ratmom_tls *t, const struct ratmom_openssl *o) {
    if (t->ctx)
        o->ctx.free(t->ctx);
    t->ctx = NULL;
}

void ratmom_tls_free(struct ratmom_multi *m) {
    if (m->tls.ctx)
        drop(&m->tls, ratmom_openssl());
}

static void *make(struct ratmom_tls *t, const struct ratmom_openssl *o, const void *method) {
    void *ctx = o->ctx.make(method);
    drop(t, o);
    if (ctx && o->ctx.up_ref(ctx)) {
        t->ctx = ctx;
        t->ctx_config = t->config;
        t->given = 1;
        t->loaded = 0;
    }
    return ctx;
}

static void *give(struct ratmom_multi *m, const struct ratmom_openssl *o, const void *method) {
    struct ratmom_tls *t = &m->tls;
    if (!t->all || t->same != t->all || t->config <= ALONE || method != o->ctx.method())
        return o->ctx.make(method);
    if (!t->ctx || t->ctx_config != t->config || t->loaded)
        return make(t, o, method);
    if (!o->ctx.up_ref(t->ctx))
        return o->ctx.make(method);
    o->ctx.set_trace(t->ctx, NULL);
    t->given++;
    t->spared++;
    return t->ctx;
}

void *ratmom_ctx_new(const void *method) {
    const struct ratmom_openssl *o = ratmom_openssl();
    return ratmom_driving ? give(ratmom_driving, o, method) : o->ctx.make(method);
}

/* libcurl is about to add to the store of ctx. If it fails to, those whose handshake is under way
 * with ctx have no authorities either: the file cannot be read that they name, too. */
static void *refill(struct ratmom_multi *m, const struct ratmom_openssl *o, void *ctx) {
    struct ratmom_tls *t = &m->tls;
    if (ctx == t->ctx && t->given > 1) {
        void *store = o->ctx.new_store();
        if (store)
            o->ctx.set_store(ctx, store);
        drop(t, o);
    } else if (ctx == t->ctx) {
        t->loaded = 1;
    }
    return o->ctx.store(ctx);
}

void *ratmom_ctx_store(const void *ctx) {
    const struct ratmom_openssl *o = ratmom_openssl();
    return ratmom_driving ? refill(ratmom_driving, o, (void *)ctx) : o->ctx.store(ctx);
}
#else
void ratmom_tls_free(struct ratmom_multi *m) { (void)m; }
#endif
