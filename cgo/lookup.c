/* Name look-ups that were given up. libcurl asks the system for addresses in a thread
 * per look-up, which nothing can interrupt: when its transfer ends early, the thread
 * is left behind until the system gives up, too, and libcurl does not tell when. On
 * Linux a thread inherits the name of the one that made it: ours has a name of the
 * multi's while libcurl starts look-ups, and those that still run are counted by it. */
#include "ratmom.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#ifdef __linux__
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#define COUNT_NS 250000000ll /* between two counts, which read a file per thread */

/* Whether a host has to be looked up: it is no address and not this machine. */
static int is_name(const char *p, size_t n) {
    size_t digits = strspn(p, "0123456789.");
    if (!n || digits >= n || p[n - 1] == ']')
        return 0;
    if (n < 9 || strncasecmp(p + n - 9, "localhost", 9))
        return 1;
    return n > 9 && p[n - 10] != '.';
}

/* The same of the host in a URL. */
static int names_host(const char *url) {
    const char *p = strstr(url, "://");
    p = p ? p + 3 : url;
    size_t n = strcspn(p, "/?#");
    for (size_t i = n; i; i--) {
        if (p[i - 1] == '@') { /* the user's name and password */
            p += i;
            n -= i;
            break;
        }
    }
    return is_name(p, *p == '[' ? strcspn(p, "]") + 1 : strcspn(p, ":/?#"));
}

#define PROXY 1      /* there is one */
#define PROXY_NAME 2 /* and it has to be looked up */
#define PROXY_BOTH 4 /* and what is behind it, too */

/* Notes whose names the proxy in the options makes libcurl look up. */
void ratmom_lookup_proxy(struct ratmom_req *r, const char *proxy) {
    r->proxy = 0;
    if (!*proxy)
        return;
    r->proxy = PROXY | (names_host(proxy) ? PROXY_NAME : 0);
    if (!strncasecmp(proxy, "socks4://", 9) || !strncasecmp(proxy, "socks5://", 9))
        r->proxy |= PROXY_BOTH;
}

static int looks_up(const struct ratmom_req *r) {
    char *url = NULL;
    if (r->link && r->link->to)
        return (int)r->link->named;
    if (r->elsewhere || (r->proxy & PROXY_NAME))
        return 1;
    if ((r->proxy & PROXY) && !(r->proxy & PROXY_BOTH))
        return 0;
    curl_easy_getinfo(r->easy, CURLINFO_EFFECTIVE_URL, &url);
    return url && names_host(url);
}

#ifdef __linux__

/* Gives this thread, and those that it makes, the multi's name for look-ups. */
static void name_thread(struct ratmom_multi *m) {
    static uint32_t last;
    if (m->named)
        return;
    if (!m->lookup_name[0])
        snprintf(m->lookup_name, sizeof(m->lookup_name), "ratmom-dns-%04x",
                 __atomic_add_fetch(&last, 1, __ATOMIC_RELAXED) & 0xffff);
    prctl(PR_GET_NAME, m->old_name);
    prctl(PR_SET_NAME, m->lookup_name);
    m->named = 1;
}

void ratmom_lookup_unname(struct ratmom_multi *m) {
    prctl(PR_SET_NAME, m->old_name);
    m->named = 0;
}

/* How many threads have the multi's name for look-ups; -1: cannot be told. */
static int count_threads(struct ratmom_multi *m) {
    DIR *d = opendir("/proc/self/task");
    if (!d)
        return -1;
    int count = 0;
    long self = syscall(SYS_gettid);
    size_t len = strlen(m->lookup_name);
    for (struct dirent *e; (e = readdir(d));) {
        char path[32], comm[32];
        if (*e->d_name == '.' || strtol(e->d_name, NULL, 10) == self)
            continue;
        snprintf(path, sizeof(path), "%.20s/comm", e->d_name);
        int fd = openat(dirfd(d), path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            continue;
        ssize_t n = read(fd, comm, sizeof(comm));
        close(fd);
        count += n > (ssize_t)len && !memcmp(comm, m->lookup_name, len);
    }
    closedir(d);
    return count;
}

#else

static void name_thread(struct ratmom_multi *m) { (void)m; }
void ratmom_lookup_unname(struct ratmom_multi *m) { (void)m; }
static int count_threads(struct ratmom_multi *m) {
    (void)m;
    return -1;
}

#endif

/* Whether as many look-ups as may be have been left behind. Their number only grows
 * between counts. */
static int crowded(struct ratmom_multi *m) {
    if (m->left_lookups < m->max_lookups)
        return 0;
    if (m->now - m->counted > COUNT_NS) {
        int n = count_threads(m);
        m->counted = m->now;
        m->left_lookups = n > (int)m->nlookups ? (uint32_t)n - m->nlookups : 0;
    }
    return m->left_lookups >= m->max_lookups;
}

/* libcurl calls this when a host is not in its cache. */
static int on_resolve(void *resolver, void *reserved, void *user) {
    struct ratmom_req *r = user;
    struct ratmom_multi *m = r->multi;
    (void)resolver;
    (void)reserved;
    if (m)
        m->starts++;
    ratmom_clock_connects(r, 0);
    ratmom_crowd_makes(r);
    if (!m || !m->max_lookups || !looks_up(r))
        return 0;
    if (crowded(m)) {
        r->cause = RATMOM_CAUSE_LOOKUPS;
        return 1;
    }
    m->nlookups += !r->looking;
    r->looking = 1;
    name_thread(m);
    return 0;
}

void ratmom_lookup_callbacks(struct ratmom_req *r) {
    curl_easy_setopt(r->easy, CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
    curl_easy_setopt(r->easy, CURLOPT_RESOLVER_START_DATA, r);
    r->proxy = r->elsewhere = 0; /* until the options say otherwise */
}

/* The request has its address. */
void ratmom_lookup_end(struct ratmom_req *r) {
    if (!r->looking)
        return;
    r->looking = 0;
    r->multi->nlookups--;
}

/* The request ends. If it was still looking, and not for an answer that says no, its
 * thread is left behind. */
void ratmom_lookup_leave(struct ratmom_req *r) {
    if (r->looking && r->result != CURLE_COULDNT_RESOLVE_HOST &&
        r->result != CURLE_COULDNT_RESOLVE_PROXY)
        r->multi->left_lookups++;
    ratmom_lookup_end(r);
}
