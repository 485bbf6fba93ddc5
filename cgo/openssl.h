/* Functions of the OpenSSL that libcurl was built with. */
#ifndef RATMOM_OPENSSL_H
#define RATMOM_OPENSSL_H

struct ratmom_openssl {
    int (*free_buffers)(void *ssl); /* this and the next two: all of them, or none */
    int (*has_pending)(const void *ssl);
    const char *(*state)(const void *ssl);
    struct { /* likewise */
        const void *(*method)(void);
        void *(*make)(const void *method);
        int (*up_ref)(void *ctx);
        void (*free)(void *ctx);
        void *(*store)(const void *ctx);
        void (*set_store)(void *ctx, void *store);
        void *(*new_store)(void);
        void (*set_trace)(void *ctx, void (*f)(void));
    } ctx;
    struct { /* likewise */
        void *(*parse)(void **x, const unsigned char **in, long len);
        int (*up_ref)(void *x);
        void (*free)(void *x);
    } cert;
    int (*read)(void *ssl, void *p, int n);
};

/* NULL: libcurl has no OpenSSL, or one that cannot be told from others in the process. */
const struct ratmom_openssl *ratmom_openssl(void);

/* What libcurl has in the place of SSL_CTX_new, SSL_CTX_get_cert_store and SSL_read, and libssl of
 * d2i_X509; only if the fields above are there. */
void *ratmom_ctx_new(const void *method);
void *ratmom_ctx_store(const void *ctx);
int ratmom_ssl_read(void *ssl, void *p, int n);
void *ratmom_cert_parse(void **x, const unsigned char **in, long len);

/* Has the shared object that this code is a part of call f where it would call the function of
 * that name, and has the real one now. Returns whether it does so everywhere. */
int ratmom_rebind(const void *code, const char *name, const void *real, const void *f);

#endif
