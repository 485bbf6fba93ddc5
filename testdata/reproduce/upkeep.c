/* Shows that curl_easy_upkeep sends no PING on an idle HTTP/2 connection of a multi
 * handle: not at all on 7.88.1, with the next request on 8.14.1.
 *
 *   nghttpd -v --no-tls 8888            # prints each frame that comes
 *   cc upkeep.c -o upkeep -lcurl && ./upkeep http://127.0.0.1:8888/
 *
 * The PING should come two seconds after the first request, and comes, if at all, after five.
 * (7.88.1 then fails: it cannot use a connection twice that HTTP/2 was spoken on by prior
 * knowledge.) */
#include <curl/curl.h>
#include <stdio.h>
#include <unistd.h>

static size_t drop(char *p, size_t size, size_t n, void *user) {
    (void)p;
    (void)user;
    return size * n;
}

/* Runs one request to its end. */
static void fetch(CURLM *multi, CURL *easy) {
    int running = 1, left;
    curl_multi_add_handle(multi, easy);
    while (running) {
        curl_multi_perform(multi, &running);
        curl_multi_poll(multi, NULL, 0, 100, NULL);
    }
    for (CURLMsg *m; (m = curl_multi_info_read(multi, &left));)
        printf("request: %s\n", curl_easy_strerror(m->data.result));
    curl_multi_remove_handle(multi, easy);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: %s URL\n", argv[0]);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_ALL);
    printf("%s\n", curl_version());
    CURLM *multi = curl_multi_init();
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, argv[1]);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
    curl_easy_setopt(easy, CURLOPT_UPKEEP_INTERVAL_MS, 100L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
    fetch(multi, easy);
    sleep(2);
    /* Only a handle that is in the multi reaches its connections. */
    CURL *keeper = curl_easy_init();
    curl_easy_setopt(keeper, CURLOPT_URL, argv[1]);
    curl_easy_setopt(keeper, CURLOPT_UPKEEP_INTERVAL_MS, 100L);
    curl_multi_add_handle(multi, keeper);
    printf("upkeep: %s\n", curl_easy_strerror(curl_easy_upkeep(keeper)));
    curl_multi_remove_handle(multi, keeper);
    sleep(3);
    printf("next request\n");
    fetch(multi, easy);
    curl_easy_cleanup(keeper);
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    return 0;
}
