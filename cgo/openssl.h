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
};

/* NULL: libcurl has no OpenSSL, or one that cannot be told from others in the process. */
const struct ratmom_openssl *ratmom_openssl(void);
/* Whose code calls a function that ratmom has in the place of OpenSSL's. */
enum ratmom_caller {
    RATMOM_BY_OTHERS,
    RATMOM_BY_LIBCURL, /* this and the next two: ratmom_openssl() is not NULL */
    RATMOM_BY_LIBSSL,
    RATMOM_BY_LIBCRYPTO
};
enum ratmom_caller ratmom_openssl_caller(const void *at);
/* The function of this name that the code at this address would have called if ratmom had none. */
void *ratmom_openssl_next(const void *at, const char *name, const void *ours);

#endif
