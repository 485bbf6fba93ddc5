#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void say(int fd, const char *s) {
    size_t n = strlen(s);
    while (n) {
        ssize_t w = write(fd, s, n);
        if (w <= 0)
            _exit(0);
        s += w;
        n -= (size_t)w;
    }
}

/* Reads a line, without its end. */
static int line(FILE *in, char *buf, int size) {
    if (!fgets(buf, size, in))
        return -1;
    buf[strcspn(buf, "\r\n")] = 0;
    return (int)strlen(buf);
}

static void skip(FILE *in, long n) {
    while (n-- > 0)
        if (getc(in) == EOF)
            _exit(0);
}

static void big(int fd) {
    char piece[10001];
    memset(piece, 'b', 10000);
    piece[10000] = 0;
    say(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n");
    for (int i = 0; i < BIG / 10000; i++) {
        say(fd, "2710\r\n");
        say(fd, piece);
        say(fd, "\r\n");
    }
    say(fd, "0\r\nT: end\r\n\r\n");
}

static void speak(int fd) {
    FILE *in = fdopen(fd, "r");
    char buf[4096], path[64];
    while (line(in, buf, sizeof(buf)) > 0) {
        long length = 0;
        int chunked = 0;
        if (sscanf(buf, "%*s %63s", path) != 1)
            return;
        while (line(in, buf, sizeof(buf)) > 0) {
            if (!strncasecmp(buf, "content-length:", 15))
                length = atol(buf + 15);
            if (!strcasecmp(buf, "transfer-encoding: chunked"))
                chunked = 1;
            if (!strcasecmp(buf, "expect: 100-continue"))
                say(fd, "HTTP/1.1 100 Continue\r\n\r\n");
        }
        skip(in, length);
        while (chunked && line(in, buf, sizeof(buf)) > 0) {
            long n = strtol(buf, NULL, 16);
            if (n == 0) {
                while (line(in, buf, sizeof(buf)) > 0)
                    ;
                break;
            }
            skip(in, n + 2);
        }
        if (!strcmp(path, "/silent")) {
            while (getc(in) != EOF)
                ;
        } else if (!strcmp(path, "/hang")) {
            say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
            while (getc(in) != EOF)
                ;
        } else if (!strcmp(path, "/big")) {
            big(fd);
        } else if (!strcmp(path, "/close")) {
            say(fd, "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\nuntil the end");
            return;
        } else {
            say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
        }
    }
}

pid_t serve(int *port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int l = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (l < 0 || bind(l, (struct sockaddr *)&a, n) || listen(l, 64) ||
        getsockname(l, (struct sockaddr *)&a, &n))
        abort();
    *port = ntohs(a.sin_port);
    pid_t parent = getpid(), child = fork();
    if (child) {
        close(l);
        return child;
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGCHLD, SIG_IGN);
    if (getppid() != parent)
        _exit(0);
    for (;;) {
        int fd = accept(l, NULL, NULL);
        if (fd < 0)
            continue;
        if (!fork()) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            close(l);
            speak(fd);
            _exit(0);
        }
        close(fd);
    }
}
