//go:build unix && !darwin

package cgo

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

// The C bindings of GSS-API (RFC 2744), of which no header is needed to build.
struct gss_buffer {
    size_t length;
    void *value;
};
struct gss_oid {
    uint32_t length;
    void *elements;
};
static struct {
    uint32_t (*import_name)(uint32_t *, struct gss_buffer *, struct gss_oid *, void **);
    uint32_t (*release_name)(uint32_t *, void **);
    uint32_t (*init_sec_context)(uint32_t *, void *, void **, void *, struct gss_oid *, uint32_t,
                                 uint32_t, void *, struct gss_buffer *, struct gss_oid **,
                                 struct gss_buffer *, uint32_t *, uint32_t *);
    uint32_t (*delete_sec_context)(uint32_t *, void **, struct gss_buffer *);
    uint32_t (*release_buffer)(uint32_t *, struct gss_buffer *);
    uint32_t (*display_status)(uint32_t *, uint32_t, int, struct gss_oid *, uint32_t *,
                               struct gss_buffer *);
} gss;

static int gss_find(void **f, const char *name) {
    *f = dlsym(RTLD_DEFAULT, name);
    return *f != NULL;
}

// Finds the functions in the library that libcurl has brought into the process.
static int gss_load(void) {
    return gss_find((void **)&gss.import_name, "gss_import_name") &&
           gss_find((void **)&gss.release_name, "gss_release_name") &&
           gss_find((void **)&gss.init_sec_context, "gss_init_sec_context") &&
           gss_find((void **)&gss.delete_sec_context, "gss_delete_sec_context") &&
           gss_find((void **)&gss.release_buffer, "gss_release_buffer") &&
           gss_find((void **)&gss.display_status, "gss_display_status");
}

static int gss_failed(uint32_t major) { return (major & 0xffff0000u) != 0; }

// Writes what a status means, of kind 1 (GSS-API) or 2 (the mechanism).
static size_t gss_explain(uint32_t status, int kind, char *to, size_t room) {
    uint32_t minor, more = 0;
    struct gss_buffer text = {0, NULL};
    int n = 0;
    if (!gss_failed(gss.display_status(&minor, status, kind, NULL, &more, &text))) {
        n = snprintf(to, room, "%.*s", (int)text.length, (const char *)text.value);
        gss.release_buffer(&minor, &text);
    }
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

// Makes the first token of SPNEGO for "service@host" with the credentials of the
// process. Returns 0, or -1 with the reason in why.
static int gss_first_token(char *target, uint32_t flags, struct gss_buffer *token, char *why,
                           size_t room) {
    static struct gss_oid host_based = {10, "\x2a\x86\x48\x86\xf7\x12\x01\x02\x01\x04"};
    static struct gss_oid spnego = {6, "\x2b\x06\x01\x05\x05\x02"};
    struct gss_buffer text = {strlen(target), target}, none = {0, NULL};
    void *name = NULL, *context = NULL;
    uint32_t minor, ignored;
    uint32_t major = gss.import_name(&minor, &text, &host_based, &name);
    if (!gss_failed(major)) {
        major = gss.init_sec_context(&minor, NULL, &context, name, &spnego, flags, 0, NULL, &none,
                                     NULL, token, NULL, NULL);
        gss.release_name(&ignored, &name);
        if (context)
            gss.delete_sec_context(&ignored, &context, NULL);
    }
    if (!gss_failed(major) && token->length)
        return 0;
    size_t n = gss_explain(major, 1, why, room);
    if (minor && n + 3 < room) {
        memcpy(why + n, ": ", 3);
        gss_explain(minor, 2, why + n + 2, room - n - 2);
    }
    return -1;
}

static void gss_free(struct gss_buffer *token) {
    uint32_t ignored;
    gss.release_buffer(&ignored, token);
}
*/
import "C"

import (
	"errors"
	"strings"
	"sync"
	"unsafe"
)

var haveGSSAPI = sync.OnceValue(func() bool { return C.gss_load() != 0 })

// NegotiateToken makes the token that a client begins SPNEGO with (RFC 4559), for
// the named service of a host, with the default credentials of the process. It
// asks the name server and the KDC if it must, and blocks as long as they do: not
// for an agent. It needs [FeatureSet.GSSAPI].
func NegotiateToken(service, host string, flags GSSFlags) ([]byte, error) {
	if !haveGSSAPI() {
		return nil, errors.New("there is no GSS-API library in the process")
	}
	target := append([]byte(service+"@"+host), 0)
	var why [512]C.char
	var token C.struct_gss_buffer
	defer C.gss_free(&token)
	if C.gss_first_token((*C.char)(unsafe.Pointer(&target[0])), C.uint32_t(flags), &token, &why[0], C.size_t(len(why))) != 0 {
		return nil, errors.New(strings.TrimSpace(C.GoString(&why[0])))
	}
	return C.GoBytes(token.value, C.int(token.length)), nil
}
