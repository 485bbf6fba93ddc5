/* libcurl's memory. A small transfer makes some forty blocks and frees them at its
 * end, many transfers at a time, which is more than the C library keeps at hand for
 * a thread. Each thread keeps lists of free small blocks here.
 *
 * Receive buffers, which libcurl before 8.8 allocates for each transfer when it is
 * sent, are pages of their own that cost nothing until bytes come: ten thousand
 * transfers that wait for their response would else hold one touched page each. */
#include "ratmom.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(RATMOM_PLAIN_MALLOC)
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- small blocks ---------------------------------------------------------- */

#define SMALL 1544       /* the biggest block that is kept, in bytes: an HTTP stream's */
#define KEEP_BYTES 98304 /* kept of one size in one thread */

struct cache {
    void *head[SMALL / 16 + 1];
    uint16_t n[SMALL / 16 + 1];
    int known; /* the thread's end will be noticed */
};

static __thread struct cache cache;
static pthread_key_t at_exit;

/* glibc's blocks hold 24, 40, 56 … bytes. */
static unsigned class_of(size_t n) { return n <= 24 ? 1 : (unsigned)((n + 7) >> 4); }

static void drop_cache(void *p) {
    struct cache *c = p;
    for (unsigned k = 0; k <= SMALL / 16; k++)
        for (void *b; (b = c->head[k]);) {
            c->head[k] = *(void **)b;
            free(b);
        }
    memset(c->n, 0, sizeof(c->n));
    c->known = 0; /* another destructor may free more */
}

static void *small_get(size_t n) {
    unsigned k = class_of(n);
    void *p = cache.head[k];
    if (!p)
        return malloc(k * 16 + 8);
    cache.head[k] = *(void **)p;
    cache.n[k]--;
    return p;
}

static void small_put(void *p, size_t usable) {
    /* Rounded down: another malloc than glibc's may be at work. */
    unsigned k = usable < 24 ? 0 : (unsigned)((usable - 8) >> 4);
    if (!k || cache.n[k] * usable > KEEP_BYTES) {
        free(p);
        return;
    }
    if (!cache.known) {
        cache.known = 1;
        pthread_setspecific(at_exit, &cache);
    }
    *(void **)p = cache.head[k];
    cache.head[k] = p;
    cache.n[k]++;
}

/* ---- receive buffers --------------------------------------------------------- */

#define PAGE 4096
#define SLAB ((size_t)2 << 20) /* aligned, so that a buffer names its slab */
#define SLABS 8192             /* 16 GiB of addresses; then as all others */
#define HOT ((size_t)4 << 20)  /* bytes of free buffers that keep their pages, always */
#define MOST (8 * HOT)         /* and at the most */
#define WINDOW 4096            /* puts between two looks at how many more are idle */
#define BUFFER_MIN (3 * PAGE)

/* One page more than CURLOPT_BUFFERSIZE, whose buffers are a byte longer. */
static const size_t buffer_sizes[] = {5 * PAGE,  9 * PAGE,  17 * PAGE,
                                      33 * PAGE, 65 * PAGE, 129 * PAGE};
#define KINDS (sizeof(buffer_sizes) / sizeof(buffer_sizes[0]))

/* Else madvise, which works on whole pages, would take from a buffer's neighbours. */
static int pages_fit;

static pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;
static struct {
    uintptr_t base;
    unsigned kind;
} slabs[2 * SLABS]; /* open addressing */
static unsigned nslabs;

static struct {
    void *hot;        /* a list through the buffers themselves */
    size_t nhot, low; /* how many, and the fewest since the last look */
    unsigned puts;    /* since then */
    /* Free buffers without pages: to link them would touch them. */
    uintptr_t *cold;
    size_t ncold, cap_cold;
} buffers[KINDS];

static int warm; /* there may be more hot ones than are kept always */

static unsigned slot_of(uintptr_t base) {
    unsigned i = (unsigned)((base >> 21) * 0x9E3779B1u) % (2 * SLABS);
    while (slabs[i].base && slabs[i].base != base)
        i = (i + 1) % (2 * SLABS);
    return i;
}

/* The kind of buffer that p is; KINDS if it is none. */
static unsigned kind_of(const void *p) {
    uintptr_t a = (uintptr_t)p;
    if (a & (PAGE - 1))
        return KINDS;
    pthread_mutex_lock(&mu);
    unsigned i = slot_of(a & ~(SLAB - 1));
    unsigned kind = slabs[i].base ? slabs[i].kind : KINDS;
    pthread_mutex_unlock(&mu);
    return kind;
}

/* Makes the cold buffers of a new slab. The lock is held. */
static int add_slab(unsigned kind) {
    size_t more = SLAB / buffer_sizes[kind];
    if (nslabs == SLABS)
        return -1;
    /* Room for every buffer of the kind, so that putting one back cannot fail. */
    size_t cap = buffers[kind].cap_cold + more;
    uintptr_t *c = realloc(buffers[kind].cold, cap * sizeof(*c));
    if (!c)
        return -1;
    buffers[kind].cold = c;
    char *p = mmap(NULL, 2 * SLAB, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return -1;
    buffers[kind].cap_cold = cap;
    uintptr_t base = ((uintptr_t)p + SLAB - 1) & ~(SLAB - 1);
    size_t before = base - (uintptr_t)p;
    if (before)
        munmap(p, before);
    if (SLAB - before)
        munmap((void *)(base + SLAB), SLAB - before);
    /* A huge page would be there in full at the first byte. */
    madvise((void *)base, SLAB, MADV_NOHUGEPAGE);
    unsigned i = slot_of(base);
    slabs[i].base = base;
    slabs[i].kind = kind;
    nslabs++;
    for (size_t j = more; j > 0; j--)
        c[buffers[kind].ncold++] = base + (j - 1) * buffer_sizes[kind];
    return 0;
}

static void *buffer_get(size_t n) {
    unsigned kind = 0;
    void *p = NULL;
    while (kind < KINDS && buffer_sizes[kind] < n)
        kind++;
    if (kind == KINDS || !pages_fit)
        return NULL;
    pthread_mutex_lock(&mu);
    if ((p = buffers[kind].hot)) {
        buffers[kind].hot = *(void **)p;
        if (--buffers[kind].nhot < buffers[kind].low)
            buffers[kind].low = buffers[kind].nhot;
    } else if (buffers[kind].ncold || !add_slab(kind)) {
        p = (void *)buffers[kind].cold[--buffers[kind].ncold];
    }
    pthread_mutex_unlock(&mu);
    return p;
}

/* Gives the pages of up to n free buffers back to the system, those beyond HOT. */
static void cool(unsigned kind, size_t n) {
    size_t size = buffer_sizes[kind];
    while (n--) {
        pthread_mutex_lock(&mu);
        void *p = buffers[kind].nhot * size > HOT ? buffers[kind].hot : NULL;
        if (p) {
            buffers[kind].hot = *(void **)p;
            buffers[kind].nhot--;
        }
        pthread_mutex_unlock(&mu);
        if (!p)
            return;
        madvise(p, size, MADV_DONTNEED);
        pthread_mutex_lock(&mu);
        buffers[kind].cold[buffers[kind].ncold++] = (uintptr_t)p;
        pthread_mutex_unlock(&mu);
    }
}

/* A buffer put back keeps its pages as long as such buffers are wanted again: to fault
 * them in costs more than all else that a small request does with one. */
static void buffer_put(void *p, unsigned kind) {
    size_t idle = 0;
    pthread_mutex_lock(&mu);
    *(void **)p = buffers[kind].hot;
    buffers[kind].hot = p;
    if (++buffers[kind].nhot * buffer_sizes[kind] > HOT)
        __atomic_store_n(&warm, 1, __ATOMIC_RELAXED);
    if (buffers[kind].nhot * buffer_sizes[kind] > MOST)
        idle = 1;
    if (++buffers[kind].puts == WINDOW) {
        buffers[kind].puts = 0;
        idle += buffers[kind].low;
        buffers[kind].low = buffers[kind].nhot;
    }
    pthread_mutex_unlock(&mu);
    if (idle)
        cool(kind, idle);
}

void ratmom_alloc_idle(void) {
    unsigned kinds = 0;
    if (!__atomic_load_n(&warm, __ATOMIC_RELAXED))
        return;
    __atomic_store_n(&warm, 0, __ATOMIC_RELAXED);
    pthread_mutex_lock(&mu);
    for (unsigned k = 0; k < KINDS; k++)
        kinds |= (unsigned)(buffers[k].nhot * buffer_sizes[k] > HOT) << k;
    pthread_mutex_unlock(&mu);
    for (unsigned k = 0; kinds >> k; k++)
        if (kinds >> k & 1)
            cool(k, SIZE_MAX);
}

/* ---- what libcurl is given ------------------------------------------------------ */

static void *on_malloc(size_t n) {
    void *p;
    if (n <= SMALL)
        return small_get(n);
    if (n >= BUFFER_MIN && (p = buffer_get(n)))
        return p;
    return malloc(n);
}

static void on_free(void *p) {
    size_t usable;
    unsigned kind;
    if (!p)
        return;
    if ((kind = kind_of(p)) < KINDS)
        buffer_put(p, kind);
    else if ((usable = malloc_usable_size(p)) <= SMALL)
        small_put(p, usable);
    else
        free(p);
}

static void *on_realloc(void *p, size_t n) {
    size_t have;
    unsigned kind;
    if (!p)
        return on_malloc(n);
    if ((kind = kind_of(p)) < KINDS)
        have = buffer_sizes[kind];
    else if ((have = malloc_usable_size(p)) > SMALL || !n)
        return realloc(p, n);
    if (n && n <= have)
        return p;
    /* Growing strings pass through the small sizes, again and again the same. */
    void *q = on_malloc(n);
    if (q) {
        memcpy(q, p, have < n ? have : n);
        if (kind < KINDS)
            buffer_put(p, kind);
        else
            small_put(p, have);
    }
    return q;
}

static void *on_calloc(size_t n, size_t size) {
    if (size && n > SMALL / size)
        return calloc(n, size);
    void *p = small_get(n * size);
    return p ? memset(p, 0, n * size) : NULL;
}

static char *on_strdup(const char *s) {
    size_t n = strlen(s) + 1;
    char *p = on_malloc(n);
    return p ? memcpy(p, s, n) : NULL;
}

int ratmom_global_init(void) {
    pages_fit = sysconf(_SC_PAGESIZE) == PAGE;
    if (pthread_key_create(&at_exit, drop_cache))
        return curl_global_init(CURL_GLOBAL_ALL);
    return curl_global_init_mem(CURL_GLOBAL_ALL, on_malloc, on_free, on_realloc, on_strdup,
                                on_calloc);
}
#else
int ratmom_global_init(void) { return curl_global_init(CURL_GLOBAL_ALL); }
void ratmom_alloc_idle(void) {}
#endif
