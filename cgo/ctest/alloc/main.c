/* libcurl's memory functions by themselves: threads that allocate, resize and free
 * blocks of all sizes, in part those of other threads, and look whether two were
 * ever given the same bytes. Prints "ok", or what is wrong and exits with 1. With an
 * argument it leaves out what a sanitizer's own memory would spoil. */
#include "../../alloc.c"

#include <stdio.h>
#include <unistd.h>

#define CHECK(x)                                                                                   \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #x);                      \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

#define THREADS 4
#define HELD 300
#define TURNS 60000

struct block {
    unsigned char *p;
    size_t n;
    unsigned char mark;
};

static struct block passed[256]; /* from one thread to another */
static pthread_mutex_t passing = PTHREAD_MUTEX_INITIALIZER;

static void fill(struct block *b, unsigned char mark) {
    b->mark = mark;
    if (b->n) { /* both ends, and all of a small one */
        memset(b->p, mark, b->n < 256 ? b->n : 256);
        memset(b->p + b->n - (b->n < 64 ? b->n : 64), mark, b->n < 64 ? b->n : 64);
    }
}

static void check(const struct block *b, size_t n) {
    if (n > b->n)
        n = b->n;
    for (size_t i = 0; i < n && i < 256; i++)
        CHECK(b->p[i] == b->mark);
    if (n == b->n && n)
        CHECK(b->p[n - 1] == b->mark);
}

static size_t size(unsigned *seed) {
    static const size_t big[] = {12288, 16385, 32769, 65537, 131073, 262145, 524289, 600000};
    switch (rand_r(seed) % 8) {
    case 0:
        return big[rand_r(seed) % 8];
    case 1:
        return (size_t)rand_r(seed) % 20000;
    default:
        return (size_t)rand_r(seed) % 1100;
    }
}

static void *run(void *arg) {
    unsigned seed = (unsigned)(uintptr_t)arg;
    static __thread struct block held[HELD];
    for (int turn = 0; turn < TURNS; turn++) {
        struct block *b = &held[rand_r(&seed) % HELD];
        if (b->p && rand_r(&seed) % 4 == 0) {
            size_t n = size(&seed) + 1;
            unsigned char *q = on_realloc(b->p, n);
            CHECK(q);
            b->p = q;
            struct block before = *b;
            check(&before, b->n < n ? b->n : n < 256 ? n : 256);
            b->n = n;
            fill(b, (unsigned char)rand_r(&seed));
            continue;
        }
        if (b->p) {
            check(b, b->n);
            if (rand_r(&seed) % 4) {
                on_free(b->p);
                b->p = NULL;
            } else { /* somebody else frees it */
                pthread_mutex_lock(&passing);
                struct block *slot = &passed[rand_r(&seed) % 256], other = *slot;
                *slot = *b;
                pthread_mutex_unlock(&passing);
                *b = other;
            }
            continue;
        }
        b->n = size(&seed);
        if (rand_r(&seed) % 8 == 0) {
            b->p = on_calloc(1, b->n);
            CHECK(b->p || !b->n);
            for (size_t i = 0; i < b->n; i++)
                CHECK(!b->p[i]);
        } else {
            b->p = on_malloc(b->n);
            CHECK(b->p);
        }
        CHECK(((uintptr_t)b->p & 15) == 0);
        fill(b, (unsigned char)rand_r(&seed));
    }
    for (int i = 0; i < HELD; i++)
        if (held[i].p) {
            check(&held[i], held[i].n);
            on_free(held[i].p);
        }
    return NULL;
}

static long resident_kb(void) {
    long pages = 0, unused;
    FILE *f = fopen("/proc/self/statm", "r");
    CHECK(f && fscanf(f, "%ld %ld", &unused, &pages) == 2);
    fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Buffers that nobody has written to, and those that were given back, hold no
 * memory but for a few. */
static void buffers_are_cheap(void) {
    enum { N = 5000 };
    static char *p[N];
    long before = resident_kb();
    for (int i = 0; i < N; i++)
        CHECK((p[i] = on_malloc(65537)));
    CHECK(resident_kb() - before < 4 * 1024);
    for (int i = 0; i < N; i++) {
        memset(p[i], 1, 65537);
        on_free(p[i]);
    }
    CHECK(resident_kb() - before < 4 * 1024 + (long)(MOST / 1024));
    ratmom_alloc_idle();
    CHECK(resident_kb() - before < 4 * 1024 + (long)(2 * HOT / 1024));
}

/* As many as are wanted time and again keep their pages; the rest go while others are
 * used. */
static void buffers_in_use_stay(void) {
    enum { N = 300, FEW = 70 };
    char *p[N];
    const unsigned kind = 2;
    CHECK(buffer_sizes[kind] > 65537 && N * buffer_sizes[kind] < MOST);
    for (int turn = 0; turn < 100; turn++) {
        for (int i = 0; i < N; i++)
            CHECK((p[i] = on_malloc(65537)));
        for (int i = 0; i < N; i++)
            on_free(p[i]);
    }
    CHECK(buffers[kind].nhot == N);
    for (int turn = 0; turn < 3 * WINDOW / FEW; turn++) {
        for (int i = 0; i < FEW; i++)
            CHECK((p[i] = on_malloc(65537)));
        for (int i = 0; i < FEW; i++)
            on_free(p[i]);
    }
    CHECK(buffers[kind].nhot >= FEW && buffers[kind].nhot <= FEW + HOT / buffer_sizes[kind]);
    ratmom_alloc_idle();
    CHECK(buffers[kind].nhot == HOT / buffer_sizes[kind]);
}

int main(int argc, char **argv) {
    (void)argv;
    pthread_t t[THREADS];
    pages_fit = sysconf(_SC_PAGESIZE) == PAGE && !getenv("BIG_PAGES");
    CHECK(pthread_key_create(&at_exit, drop_cache) == 0);
    if (argc == 1 && pages_fit) {
        buffers_are_cheap();
        buffers_in_use_stay();
    }
    for (uintptr_t i = 0; i < THREADS; i++)
        CHECK(pthread_create(&t[i], NULL, run, (void *)(i + 1)) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 256; i++)
        if (passed[i].p) {
            check(&passed[i], passed[i].n);
            on_free(passed[i].p);
        }
    char *s = on_strdup("a string");
    CHECK(!strcmp(s, "a string"));
    on_free(s);
    on_free(NULL);
    puts("ok: memory");
    return 0;
}
