#include "naps.h"

#include "loop.h"

#include <pthread.h>
#include <stdint.h>
#include <time.h>

static void *nap(void *us) {
    const struct timespec t = {0, (long)(intptr_t)us * 1000};
    for (;;)
        nanosleep(&t, NULL);
    return NULL;
}

void naps_begin(long us) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nap, (void *)(intptr_t)us))
        die("pthread_create");
}
