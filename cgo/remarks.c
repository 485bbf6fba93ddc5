/* What libcurl remarks: the wire log, and streams that a server refused, of which it
 * has no other word. */
#include "ratmom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- refused streams ------------------------------------------------------ */

/* The server will process no stream above last (RFC 9113, section 6.8). libcurl
 * tells of the frame whoever happens to read it, and ends the streams that it left
 * out in ways that may look like a dead connection; 7.88.1 mostly does. */
static void goaway(struct ratmom_req *r, uint32_t last) {
    /* Between two sendings r may look into an idle connection, which is not fd. */
    if (!r->multi || r->fd < 0 || r->adrift || r->head_held)
        return;
    for (struct ratmom_req *o = r->multi->live; o; o = o->next)
        if (o->fd == r->fd && o->fd_gen == r->fd_gen && !o->adrift && !o->heads_since &&
            (o->stream ? o->stream > last : !last))
            o->refused = 1;
}

static int starts(const char *line, const char *with) { return !strncmp(line, with, strlen(with)); }

/* ---- certificates that we refuse in TLS within TLS ------------------------ */

/* Before OpenSSL's reason is read the alert has been sent, and to send it through the
 * TLS with the proxy has emptied OpenSSL's list of errors: libcurl then says
 * SSL_ERROR_SYSCALL. The remark on the alert is what is left of the reason. */
static void alert(struct ratmom_req *r, const char *line) {
    const char *at = strstr(line, "(OUT), TLS alert, ");
    if (!at || !(at = strrchr(at, '(')))
        return;
    unsigned long n = strtoul(at + 1, NULL, 10);
    if (n >> 8 == 2) /* fatal */
        r->alert = n & 0xff;
}

void ratmom_alert_explain(struct ratmom_req *r) {
    static const char *const reasons[] = {
        [42] = "bad certificate",     [43] = "unsupported certificate",
        [44] = "certificate revoked", [45] = "certificate expired",
        [46] = "certificate unknown", [48] = "unknown CA"};
    if (!r->tls_in_tls || r->result != CURLE_SSL_CONNECT_ERROR ||
        r->alert >= sizeof(reasons) / sizeof(*reasons) || !reasons[r->alert])
        return;
    r->result = CURLE_PEER_FAILED_VERIFICATION;
    snprintf(r->errbuf, sizeof(r->errbuf), "SSL certificate problem: %s", reasons[r->alert]);
}

/* libcurl has no other way to tell these. */
static void remark(struct ratmom_req *r, const char *p, size_t n) {
    char line[128];
    const char *at;
    if (!n || !strchr(r->tls_in_tls ? "RCU[rT" : "RCU[r", *p)) /* most are of no interest */
        return;
    if (n >= sizeof(line))
        n = sizeof(line) - 1;
    memcpy(line, p, n);
    line[n] = 0;
    if (*line == 'T')
        alert(r, line);
    else if (starts(line, "REFUSED_STREAM"))
        r->refused = 1;
    else if (starts(line, "Connection died, retrying"))
        r->adrift = 1;
    else if (starts(line, "Using Stream ID: ")) /* 7.88.1 */
        r->stream = (uint32_t)strtoul(line + 17, NULL, 10);
    else if (starts(line, "[HTTP/2] [") && strstr(line, "] OPENED stream"))
        r->stream = (uint32_t)strtoul(line + 10, NULL, 10);
    else if ((starts(line, "received GOAWAY") || starts(line, "recveived GOAWAY")) &&
             (at = strstr(line, "last_stream=")))
        goaway(r, (uint32_t)strtoul(at + 12, NULL, 10));
}

/* ---- wire log ------------------------------------------------------------- */

#define DEBUG_MAX (1024 * 1024) /* per step; what is beyond is left out */

int ratmom_on_debug(CURL *easy, curl_infotype type, char *p, size_t n, void *user) {
    struct ratmom_req *r = user;
    (void)easy;
    if (r->guarded == 1 && type == CURLINFO_HEADER_IN && n && (*p == ' ' || *p == '\t'))
        *p = '_';
    if (type == CURLINFO_TEXT)
        remark(r, p, n);
    if (!r->debug_on || r->debug.len > DEBUG_MAX)
        return 0;
    uint32_t h[2] = {(uint32_t)type, (uint32_t)n};
    if (ratmom_buf_add(&r->debug, (const char *)h, sizeof(h)) || ratmom_buf_add(&r->debug, p, n))
        return 0;
    ratmom_mark(r, RATMOM_EV_DEBUG);
    return 0;
}
