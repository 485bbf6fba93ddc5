/* The OpenSSL that libcurl was built with. A program may have several: only that one will do, and
 * libcurl may have another TLS library. So nothing here is linked; it is looked up. */
#define _GNU_SOURCE
#include "openssl.h"
#include "ratmom.h"

#ifdef __linux__

#include <dlfcn.h>
#include <string.h>

static struct ratmom_openssl openssl;
static int known;

/* Whether what text begins with, behind the name, is the version. */
static int names(const char *text, const char *name, const char *version, size_t n) {
    size_t len = strlen(name);
    return !strncmp(text, name, len) && !strncmp(text + len, version, n) &&
           (text[len + n] == ' ' || !text[len + n]);
}

/* Finds the function that libcurl calls by this name, if it is the first with it in the process,
 * too. */
static int found(void *libcurl, const char *name, void *f) {
    void *first = dlsym(libcurl, name);
    *(void **)f = first;
    return first && first == dlsym(RTLD_DEFAULT, name);
}

static void find_buffers(void *libcurl) {
    if (!found(libcurl, "SSL_has_pending", &openssl.has_pending) ||
        !found(libcurl, "SSL_rstate_string", &openssl.state) ||
        !found(libcurl, "SSL_free_buffers", &openssl.free_buffers))
        openssl.free_buffers = NULL;
}

#if RATMOM_BETWEEN_LIBC

static void find_ctx(void *libcurl) {
    if (ratmom_version() > RATMOM_KNOWN_LIBCURL ||
        !found(libcurl, "TLS_client_method", &openssl.ctx.method) ||
        !found(libcurl, "SSL_CTX_up_ref", &openssl.ctx.up_ref) ||
        !found(libcurl, "SSL_CTX_free", &openssl.ctx.free) ||
        !found(libcurl, "SSL_CTX_get_cert_store", &openssl.ctx.store) ||
        !found(libcurl, "SSL_CTX_set_cert_store", &openssl.ctx.set_store) ||
        !found(libcurl, "X509_STORE_new", &openssl.ctx.new_store) ||
        !found(libcurl, "SSL_CTX_set_msg_callback", &openssl.ctx.set_trace) ||
        !found(libcurl, "SSL_CTX_new", &openssl.ctx.make))
        openssl.ctx.make = NULL;
}

/* Whether both are in the same shared object. */
static int together(const void *f, const void *g) {
    Dl_info a, b;
    return dladdr(f, &a) && dladdr(g, &b) && a.dli_fbase == b.dli_fbase;
}

static void find_cert(void *libcurl) {
    if (!found(libcurl, "X509_up_ref", &openssl.cert.up_ref) ||
        !found(libcurl, "X509_free", &openssl.cert.free) ||
        !found(libcurl, "d2i_X509", &openssl.cert.parse) ||
        !found(libcurl, "SSL_CTX_free", &openssl.ctx.free) ||
        together((void *)openssl.ctx.free, (void *)openssl.cert.parse))
        openssl.cert.parse = NULL;
}

static void find_read(void *libcurl) {
    if (ratmom_version() > RATMOM_KNOWN_LIBCURL || !found(libcurl, "SSL_read", &openssl.read))
        openssl.read = NULL;
}

/* That of the store first: without it no context may be shared. */
static void rebind(void) {
    const void *libcurl = (void *)curl_version_info, *libssl = (void *)openssl.ctx.free;
    if (openssl.ctx.make && ratmom_rebind(libcurl, "SSL_CTX_get_cert_store",
                                          (void *)openssl.ctx.store, (void *)ratmom_ctx_store))
        ratmom_rebind(libcurl, "SSL_CTX_new", (void *)openssl.ctx.make, (void *)ratmom_ctx_new);
    if (openssl.read)
        ratmom_rebind(libcurl, "SSL_read", (void *)openssl.read, (void *)ratmom_ssl_read);
    if (openssl.cert.parse)
        ratmom_rebind(libssl, "d2i_X509", (void *)openssl.cert.parse, (void *)ratmom_cert_parse);
}
#else
static void find_ctx(void *libcurl) { (void)libcurl; }
static void find_cert(void *libcurl) { (void)libcurl; }
static void find_read(void *libcurl) { (void)libcurl; }
static void rebind(void) {}
#endif

/* Before there is an agent, and mostly before there is another thread. */
__attribute__((constructor)) static void find(void) {
    static const char name[] = "OpenSSL/";
    const char *version = curl_version_info(CURLVERSION_NOW)->ssl_version;
    const char *(*version_of)(int);
    Dl_info at;
    if (!version || strncmp(version, name, strlen(name)) || !dladdr((void *)curl_version_info, &at))
        return;
    void *libcurl = dlopen(at.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (!libcurl)
        return;
    version += strlen(name);
    if (found(libcurl, "OpenSSL_version", &version_of) &&
        names(version_of(0), "OpenSSL ", version, strcspn(version, " "))) {
        find_buffers(libcurl);
        find_ctx(libcurl);
        find_cert(libcurl);
        find_read(libcurl);
        __atomic_store_n(&known, 1, __ATOMIC_RELEASE);
        rebind();
    }
    dlclose(libcurl); /* the program has it, too */
}

const struct ratmom_openssl *ratmom_openssl(void) {
    return __atomic_load_n(&known, __ATOMIC_ACQUIRE) ? &openssl : NULL;
}

#else
const struct ratmom_openssl *ratmom_openssl(void) { return NULL; }
#endif
