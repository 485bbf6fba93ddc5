/* The OpenSSL that libcurl was built with. A program may have several: only that one will do, and
 * libcurl may have another TLS library. So nothing here is linked; it is looked up. */
#define _GNU_SOURCE
#include "openssl.h"
#include "ratmom.h"

#ifdef __linux__

#include <dlfcn.h>
#include <link.h>
#include <string.h>

static struct ratmom_openssl openssl;
static int known;
static struct object {
    uintptr_t in, from, to; /* code of it, and where that begins and ends */
} objects[RATMOM_BY_LIBCRYPTO + 1];

static int has(struct dl_phdr_info *i, size_t size, void *p) {
    struct object *o = p;
    (void)size;
    for (int n = 0; n < i->dlpi_phnum; n++) {
        const ElfW(Phdr) *h = &i->dlpi_phdr[n];
        uintptr_t from = i->dlpi_addr + h->p_vaddr;
        if (h->p_type != PT_LOAD || !(h->p_flags & PF_X) || o->in < from ||
            o->in >= from + h->p_memsz)
            continue;
        o->from = from;
        o->to = from + h->p_memsz;
        return 1;
    }
    return 0;
}

static void know(enum ratmom_caller of, void *code) {
    objects[of].in = (uintptr_t)code;
    if (code)
        dl_iterate_phdr(has, &objects[of]);
}

/* Whether what text begins with, behind the name, is the version. */
static int names(const char *text, const char *name, const char *version, size_t n) {
    size_t len = strlen(name);
    return !strncmp(text, name, len) && !strncmp(text + len, version, n) &&
           (text[len + n] == ' ' || !text[len + n]);
}

/* Whether libcurl's function of this name is the first with it in the process, too. */
static int first(void *libcurl, const char *name) {
    return dlsym(libcurl, name) == dlsym(RTLD_DEFAULT, name);
}

#define FIND(field, name) (*(void **)&(field) = dlsym(libcurl, name)) != NULL

static void find_buffers(void *libcurl) {
    if (!first(libcurl, "SSL_has_pending") || !first(libcurl, "SSL_rstate_string") ||
        !first(libcurl, "SSL_free_buffers") || !(FIND(openssl.has_pending, "SSL_has_pending")) ||
        !(FIND(openssl.state, "SSL_rstate_string")) ||
        !(FIND(openssl.free_buffers, "SSL_free_buffers")))
        openssl.free_buffers = NULL;
}

/* The last libcurl of which is known what it puts into a context. */
#define LAST 0x080eff

static void find_ctx(void *libcurl) {
    if (ratmom_version() > LAST || !(FIND(openssl.ctx.method, "TLS_client_method")) ||
        !(FIND(openssl.ctx.up_ref, "SSL_CTX_up_ref")) ||
        !(FIND(openssl.ctx.free, "SSL_CTX_free")) ||
        !(FIND(openssl.ctx.store, "SSL_CTX_get_cert_store")) ||
        !(FIND(openssl.ctx.set_store, "SSL_CTX_set_cert_store")) ||
        !(FIND(openssl.ctx.new_store, "X509_STORE_new")) ||
        !(FIND(openssl.ctx.set_trace, "SSL_CTX_set_msg_callback")) ||
        !(FIND(openssl.ctx.make, "SSL_CTX_new")))
        openssl.ctx.make = NULL;
}

static void find_cert(void *libcurl) {
    if (!(FIND(openssl.cert.up_ref, "X509_up_ref")) || !(FIND(openssl.cert.free, "X509_free")) ||
        !(FIND(openssl.cert.parse, "d2i_X509")))
        openssl.cert.parse = NULL;
}

/* Before there are threads: the dynamic linker holds a lock while it runs the constructors of a
 * library, which may call what needs this. */
__attribute__((constructor)) static void find(void) {
    static const char name[] = "OpenSSL/";
    const char *version = curl_version_info(CURLVERSION_NOW)->ssl_version;
    const char *(*version_of)(int);
    Dl_info at;
    if (!version || strncmp(version, name, strlen(name)) ||
        !dladdr(dlsym(RTLD_DEFAULT, "curl_version_info"), &at))
        return;
    void *libcurl = dlopen(at.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
    if (!libcurl)
        return;
    version += strlen(name);
    if (first(libcurl, "OpenSSL_version") && FIND(version_of, "OpenSSL_version") &&
        names(version_of(0), "OpenSSL ", version, strcspn(version, " "))) {
        find_buffers(libcurl);
        find_ctx(libcurl);
        find_cert(libcurl);
        know(RATMOM_BY_LIBCURL, dlsym(libcurl, "curl_version_info"));
        know(RATMOM_BY_LIBSSL, dlsym(libcurl, "SSL_CTX_free"));
        know(RATMOM_BY_LIBCRYPTO, dlsym(libcurl, "X509_free"));
        known = 1;
    }
    dlclose(libcurl); /* the program has it, too */
}

const struct ratmom_openssl *ratmom_openssl(void) { return known ? &openssl : NULL; }

enum ratmom_caller ratmom_openssl_caller(const void *at) {
    uintptr_t a = (uintptr_t)at;
    if (!ratmom_openssl())
        return RATMOM_BY_OTHERS;
    for (int i = RATMOM_BY_LIBCURL; i <= RATMOM_BY_LIBCRYPTO; i++)
        if (a >= objects[i].from && a < objects[i].to)
            return (enum ratmom_caller)i;
    return RATMOM_BY_OTHERS;
}

/* What the dynamic linker finds for an object is the first in the program, or what the object has
 * been bound to by its version. The latter alone is what its own libraries have: what it has itself
 * it would have called already, were it not for the program's. */
static void *bound(const void *at, const char *name) {
    Dl_info caller, found;
    void *f = NULL, *object;
    if (!dladdr(at, &caller) || !(object = dlopen(caller.dli_fname, RTLD_LAZY | RTLD_NOLOAD)))
        return NULL;
    f = dlsym(object, name);
    dlclose(object);
    return f && dladdr(f, &found) && found.dli_fbase != caller.dli_fbase ? f : NULL;
}

void *ratmom_openssl_next(const void *at, const char *name, const void *ours) {
    void *f = bound(at, name);
    return f && f != ours ? f : dlsym(RTLD_NEXT, name);
}

#else
const struct ratmom_openssl *ratmom_openssl(void) { return NULL; }
#endif
