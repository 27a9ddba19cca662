/* Reads streams as fast as a program can that does nothing with them: what no meter can beat.
 *
 *     plain_reader PORT CONCURRENCY REQUESTS TOKENS
 *
 * Keeps CONCURRENCY requests in flight at 127.0.0.1:PORT until REQUESTS were answered; looks at the last bytes of each
 * read for the end of the answer, and no further. Prints seconds from the first send to the last end, and its own CPU
 * seconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#define MAX_FD 4096
#define END 5

static double now_s(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static double cpu_s(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) * 1e-6;
}

int main(int count, char **given) {
    if (count != 5) {
        fprintf(stderr, "plain_reader PORT CONCURRENCY REQUESTS TOKENS\n");
        return 2;
    }
    int lanes = atoi(given[2]), requests = atoi(given[3]), left = requests, started = lanes;
    char body[256], request[512];
    int size = sprintf(body, "{\"model\":\"scripted\",\"prompt\":[1],\"max_tokens\":%s,\"stream\":true}", given[4]);
    size = sprintf(request, "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Content-Length: %d\r\n\r\n%s", size, body);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(given[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int epoll = epoll_create1(0), one = 1;
    int *sockets = calloc(lanes, sizeof *sockets);
    static char ends[MAX_FD][END]; /* the last bytes of each connection */
    for (int lane = 0; lane < lanes; lane++) {
        int made = sockets[lane] = socket(AF_INET, SOCK_STREAM, 0);
        if (made >= MAX_FD) { fprintf(stderr, "plain_reader: too many connections\n"); return 1; }
        if (connect(made, (struct sockaddr *)&address, sizeof address)) { perror("connect"); return 1; }
        setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        epoll_ctl(epoll, EPOLL_CTL_ADD, made, &(struct epoll_event){.events = EPOLLIN, .data.fd = made});
    }
    double began_s = now_s(), began_cpu_s = cpu_s();
    for (int lane = 0; lane < lanes; lane++)
        if (send(sockets[lane], request, size, MSG_NOSIGNAL) != size) { perror("send"); return 1; }
    static char data[16384];
    while (left) {
        struct epoll_event happened[512];
        int ready = epoll_wait(epoll, happened, 512, -1);
        for (int index = 0; index < ready; index++) {
            int fd = happened[index].data.fd;
            ssize_t got = recv(fd, data, sizeof data, 0);
            if (got <= 0) { fprintf(stderr, "plain_reader: the server closed a connection\n"); return 1; }
            int kept = got < END ? END - got : 0;
            memmove(ends[fd], ends[fd] + END - kept, kept);
            memcpy(ends[fd] + kept, data + got - (END - kept), END - kept);
            if (memcmp(ends[fd], "0\r\n\r\n", END)) continue;
            left--;
            if (started < requests) {
                started++;
                if (send(fd, request, size, MSG_NOSIGNAL) != size) { perror("send"); return 1; }
            }
        }
    }
    printf("%.9f %.6f\n", now_s() - began_s, cpu_s() - began_cpu_s);
    return 0;
}
