/* The certificates of servers. libcurl knows them only for the transfer that made the
 * connection, so they are kept with its socket for those that come after. */
#include "sockets.h"

#include <string.h>

#define PREFIX "Cert:"

static void collect(struct ratmom_req *r) {
    struct curl_certinfo *info = NULL;
    r->certs.len = 0;
    if (curl_easy_getinfo(r->easy, CURLINFO_CERTINFO, &info) || !info)
        return;
    for (int i = 0; i < info->num_of_certs; i++) {
        for (struct curl_slist *l = info->certinfo[i]; l; l = l->next) {
            if (strncmp(l->data, PREFIX, strlen(PREFIX)))
                continue;
            const char *pem = l->data + strlen(PREFIX);
            if (ratmom_buf_add(&r->certs, pem, strlen(pem)) || ratmom_buf_add(&r->certs, "\n", 1)) {
                r->certs.len = 0;
                return;
            }
        }
    }
}

/* Called when the request has its connection, and when it has failed. */
void ratmom_certs_take(struct ratmom_req *r) {
    if (!r->want_certs)
        return;
    struct ratmom_fd *f = NULL;
    if (r->multi && r->fd >= 0 && r->multi->io->fds[r->fd].gen == r->fd_gen)
        f = &r->multi->io->fds[r->fd];
    collect(r);
    if (!f)
        return;
    struct ratmom_buf *from = r->certs.len ? &r->certs : &f->certs;
    struct ratmom_buf *to = r->certs.len ? &f->certs : &r->certs;
    to->len = 0;
    if (from->len && ratmom_buf_add(to, from->p, from->len))
        to->len = 0;
}
