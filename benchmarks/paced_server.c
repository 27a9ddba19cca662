/* An OpenAI-compatible server that computes nothing and whose true times are known.
 *
 * Like a real engine it emits for all running requests in lockstep: at every tick of TICK_US each one gets its next
 * token, by a send of its own. A request's first token comes at the first tick that is at least FIRST_US after its
 * arrival. With TICK_US 0 there are no ticks: all running requests get their next token as soon as the one before was
 * sent, and one whose reader is behind waits for it. That is the most this server can do; FIRST_US is 0 then.
 *
 *     paced_server PORT FIRST_US TICK_US TOKENS LOG
 *
 * LOG gets one line a request: arrival, first send, last send (ns, CLOCK_MONOTONIC), tokens, and the worst and the mean
 * lateness of its sends behind their ticks (ns). The arrival is the kernel's own stamp of the request's last packet,
 * brought to the monotonic clock; a send's time is taken just before the call. It runs ahead of all ordinary processes of
 * its CPU where that is allowed. Ends on SIGTERM, after writing the log.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define MAX_FD 4096
#define MAX_REQUEST (1 << 20)
#define MAX_LOG (1 << 20)

struct connection {
    char *in;
    size_t have;
    int chat, left, total;
    int64_t arrival, first, due_first, last, late, late_sum;
    char *out; /* what the socket did not take yet */
    size_t out_size, out_sent;
};

struct line { int64_t arrival, first, last, late, late_mean; int tokens; };

static struct connection *connections[MAX_FD];
static struct line *logged;
static int log_count, top_fd, epoll, default_tokens;
static int64_t first_ns, tick_ns;
static char events[2][8][512]; /* a token that is not the last, as a chunk: completions and chat, by word */
static size_t event_sizes[2][8];
static volatile sig_atomic_t over;

static int64_t clock_ns(clockid_t id) {
    struct timespec t;
    clock_gettime(id, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void stop(int number) { (void)number; over = 1; }

static void drop(int fd) {
    struct connection *c = connections[fd];
    if (!c) return;
    close(fd);
    free(c->in);
    free(c->out);
    free(c);
    connections[fd] = NULL;
}

static void watch(int fd, uint32_t events, int op) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, op, fd, &event);
}

static void put(int fd, const char *data, size_t size) {
    struct connection *c = connections[fd];
    ssize_t sent = c->out_size ? 0 : send(fd, data, size, MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN) { c->left = c->total = 0; return; } /* gone: not logged */
        sent = 0;
    }
    if ((size_t)sent == size) return;
    c->out = realloc(c->out, c->out_size + size - sent);
    memcpy(c->out + c->out_size, data + sent, size - sent);
    c->out_size += size - sent;
    watch(fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
}

static void flush(int fd) {
    struct connection *c = connections[fd];
    ssize_t sent = send(fd, c->out + c->out_sent, c->out_size - c->out_sent, MSG_NOSIGNAL);
    if (sent > 0) c->out_sent += sent;
    if (c->out_sent < c->out_size) return;
    free(c->out);
    c->out = NULL;
    c->out_size = c->out_sent = 0;
    watch(fd, EPOLLIN, EPOLL_CTL_MOD);
}

static size_t chunk(char *to, const char *event) {
    return sprintf(to, "%zx\r\n%s\r\n", strlen(event), event);
}

static size_t token_event(char *to, int chat, int number, int last) {
    static const char *words[] = {" the", " of", " and", " time", " year", " people", " way", " day"};
    char event[512];
    const char *word = words[number % 8], *finish = last ? "\"length\"" : "null";
    if (chat)
        sprintf(event,
            "data: {\"id\":\"chatcmpl-7c8f0d2ab1\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,"
            "\"model\":\"scripted\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"},\"logprobs\":null,"
            "\"finish_reason\":%s}]}\n\n", word, finish);
    else
        sprintf(event,
            "data: {\"id\":\"cmpl-7c8f0d2ab1\",\"object\":\"text_completion\",\"created\":1760000000,"
            "\"model\":\"scripted\",\"choices\":[{\"index\":0,\"text\":\"%s\",\"logprobs\":null,"
            "\"finish_reason\":%s,\"stop_reason\":null}]}\n\n", word, finish);
    return chunk(to, event);
}

static size_t ending(char *to, int chat, int tokens) {
    char event[512];
    sprintf(event,
        "data: {\"id\":\"%s\",\"object\":\"%s\",\"created\":1760000000,\"model\":\"scripted\",\"choices\":[],"
        "\"usage\":{\"prompt_tokens\":100,\"total_tokens\":%d,\"completion_tokens\":%d}}\n\n",
        chat ? "chatcmpl-7c8f0d2ab1" : "cmpl-7c8f0d2ab1", chat ? "chat.completion.chunk" : "text_completion",
        100 + tokens, tokens);
    size_t size = chunk(to, event);
    size += chunk(to + size, "data: [DONE]\n\n");
    return size + sprintf(to + size, "0\r\n\r\n");
}

static const char HEAD[] = "HTTP/1.1 200 OK\r\nserver: paced\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
                           "transfer-encoding: chunked\r\n\r\n";

static void finish(struct connection *c) {
    if (c->total && log_count < MAX_LOG)
        logged[log_count++] =
            (struct line){c->arrival, c->first, c->last, c->late, c->late_sum / c->total, c->total};
}

static void emit(int fd, int64_t due) {
    struct connection *c = connections[fd];
    char out[2048];
    size_t size = 0;
    int number = c->total - c->left;
    if (!number) {
        memcpy(out, HEAD, sizeof HEAD - 1);
        size = sizeof HEAD - 1;
        if (c->chat)
            size += chunk(out + size, "data: {\"id\":\"chatcmpl-7c8f0d2ab1\",\"object\":\"chat.completion.chunk\","
                "\"created\":1760000000,\"model\":\"scripted\",\"choices\":[{\"index\":0,\"delta\":{\"role\":"
                "\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n");
    }
    c->left--;
    const char *data = out;
    if (number && c->left) { /* nearly always: made beforehand */
        data = events[c->chat][number % 8];
        size = event_sizes[c->chat][number % 8];
    } else {
        size += token_event(out + size, c->chat, number, !c->left);
        if (!c->left) size += ending(out + size, c->chat, c->total);
    }
    int64_t now = clock_ns(CLOCK_MONOTONIC);
    if (!number) c->first = now;
    c->last = now;
    if (now - due > c->late) c->late = now - due;
    c->late_sum += now - due;
    put(fd, data, size);
    if (!c->left) finish(c);
}

/* The next token for each running request that may have its first by `due`; whether there was any. */
static int emit_all(int64_t due) {
    int any = 0;
    for (int each = 0; each <= top_fd; each++) {
        struct connection *c = connections[each];
        if (!c || !c->left || (c->left == c->total && c->due_first > due)) continue;
        if (!tick_ns && c->out_size) continue; /* without ticks the reader's pace is the pace */
        emit(each, due);
        any = 1;
    }
    return any;
}

static int number_after(const char *text, const char *key) {
    const char *at = strstr(text, key);
    return at ? atoi(at + strlen(key) + strspn(at + strlen(key), "\": ")) : 0;
}

static void plain(int fd, const char *body) {
    char out[1024];
    put(fd, out, sprintf(out, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %zu\r\n\r\n%s",
        strlen(body), body));
}

static void request(int fd, const char *head, const char *body, int64_t arrival) {
    struct connection *c = connections[fd];
    if (strncmp(head, "POST ", 5)) {
        plain(fd, strstr(head, "/models") ? "{\"object\":\"list\",\"data\":[{\"id\":\"scripted\",\"object\":\"model\"}]}"
                                          : "{}");
        return;
    }
    c->chat = strstr(head, "/chat/") != NULL && strstr(head, "/chat/") < strstr(head, "\r\n");
    c->total = number_after(body, "\"max_tokens\"");
    if (c->total <= 0) c->total = number_after(body, "\"max_completion_tokens\"");
    if (c->total <= 0) c->total = default_tokens;
    if (!strstr(body, "\"stream\":true") && !strstr(body, "\"stream\": true")) {
        plain(fd, "{\"id\":\"x\",\"object\":\"text_completion\",\"model\":\"scripted\",\"choices\":[{\"index\":0,\"text\":"
            "\" the\",\"message\":{\"role\":\"assistant\",\"content\":\" the\"},\"finish_reason\":\"length\"}],\"usage\":"
            "{\"prompt_tokens\":1,\"completion_tokens\":1,\"total_tokens\":2}}");
        return;
    }
    c->left = c->total;
    c->arrival = arrival;
    c->late = c->late_sum = 0;
    c->due_first = arrival + first_ns;
}

static void receive(int fd) {
    struct connection *c = connections[fd];
    char control[128];
    struct iovec part = {c->in + c->have, MAX_REQUEST - 1 - c->have};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control};
    ssize_t got = recvmsg(fd, &message, 0);
    int64_t now = clock_ns(CLOCK_MONOTONIC), arrival = now;
    if (got <= 0) {
        if (got == 0 || errno != EAGAIN) drop(fd);
        return;
    }
    for (struct cmsghdr *each = CMSG_FIRSTHDR(&message); each; each = CMSG_NXTHDR(&message, each))
        if (each->cmsg_level == SOL_SOCKET && each->cmsg_type == SO_TIMESTAMPNS) {
            struct timespec stamp;
            memcpy(&stamp, CMSG_DATA(each), sizeof stamp);
            arrival = now - (clock_ns(CLOCK_REALTIME) - (stamp.tv_sec * 1000000000LL + stamp.tv_nsec));
        }
    c->have += got;
    c->in[c->have] = 0;
    char *end = strstr(c->in, "\r\n\r\n");
    if (!end) return;
    char *length = strcasestr(c->in, "content-length:");
    size_t body = length && length < end ? strtoul(length + 15, NULL, 10) : 0, whole = end + 4 - c->in + body;
    if (strcasestr(c->in, "expect: 100") && strcasestr(c->in, "expect: 100") < end && c->have < whole)
        put(fd, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    if (c->have < whole) return;
    request(fd, c->in, end + 4, arrival);
    c->have = 0;
}

int main(int count, char **given) {
    if (count != 6) {
        fprintf(stderr, "paced_server PORT FIRST_US TICK_US TOKENS LOG\n");
        return 2;
    }
    first_ns = atoll(given[2]) * 1000;
    tick_ns = atoll(given[3]) * 1000;
    default_tokens = atoi(given[4]);
    logged = calloc(MAX_LOG, sizeof *logged);
    signal(SIGTERM, stop);
    signal(SIGINT, stop);
    for (int chat = 0; chat < 2; chat++)
        for (int word = 0; word < 8; word++) event_sizes[chat][word] = token_event(events[chat][word], chat, word, 0);
    sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){.sched_priority = 1});
    int one = 1, server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    setsockopt(server, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(given[1])),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (bind(server, (struct sockaddr *)&address, sizeof address) || listen(server, 1024)) {
        perror("paced_server");
        return 1;
    }
    epoll = epoll_create1(0);
    watch(server, EPOLLIN, EPOLL_CTL_ADD);
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    int64_t tick = 0;
    if (tick_ns) {
        tick = clock_ns(CLOCK_MONOTONIC) / tick_ns * tick_ns + tick_ns;
        struct itimerspec every = {{tick_ns / 1000000000, tick_ns % 1000000000}, {tick / 1000000000, tick % 1000000000}};
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &every, NULL);
        watch(timer, EPOLLIN, EPOLL_CTL_ADD);
    }
    while (!over) {
        struct epoll_event happened[512];
        int busy = !tick_ns && emit_all(clock_ns(CLOCK_MONOTONIC));
        int ready = epoll_wait(epoll, happened, 512, busy ? 0 : -1);
        for (int index = 0; index < ready; index++) {
            int fd = happened[index].data.fd;
            if (fd == server) {
                int made;
                while ((made = accept4(server, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                    if (made >= MAX_FD) { close(made); continue; }
                    setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                    setsockopt(made, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof one);
                    connections[made] = calloc(1, sizeof(struct connection));
                    connections[made]->in = malloc(MAX_REQUEST);
                    if (made > top_fd) top_fd = made;
                    watch(made, EPOLLIN, EPOLL_CTL_ADD);
                }
            } else if (fd == timer) {
                uint64_t passed = 0;
                if (read(timer, &passed, sizeof passed) != sizeof passed) continue;
                /* A tick that was missed is not made up for: an engine's step that is late moves all that follow. */
                int64_t due = tick + (int64_t)(passed - 1) * tick_ns;
                tick = due + tick_ns;
                emit_all(due);
            } else if (connections[fd]) {
                if (happened[index].events & EPOLLOUT) flush(fd);
                if (connections[fd] && happened[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) receive(fd);
            }
        }
    }
    FILE *out = fopen(given[5], "w");
    if (!out) { perror(given[5]); return 1; }
    for (int index = 0; index < log_count; index++)
        fprintf(out, "%lld %lld %lld %d %lld %lld\n", (long long)logged[index].arrival, (long long)logged[index].first,
            (long long)logged[index].last, logged[index].tokens, (long long)logged[index].late,
            (long long)logged[index].late_mean);
    return fclose(out) ? 1 : 0;
}
