#include "loadgen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { window = 1000 };

static const char greeting[] =
    "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"c\",\"version\":\"1\",\"protocol\":1,"
    "\"headers\":true,\"no_responders\":true}\r\n";

static const char pong[] = "PONG\r\n";

typedef struct {
    int fd;
    bool greeted;
    bool answered;
    size_t matched;  // bytes of `pong` seen at the end of the last read
} Idle;

/// Reads what is there; true when a PONG was in it. An INFO may stand before and after it.
static bool idle_read(Idle *idle, bool *information) {
    char buffer[8192];
    ssize_t got = recv(idle->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got <= 0) {
        if (got < 0 && errno == EAGAIN) {
            return false;
        }
        fail("the server closed an idle connection");
    }
    *information = true;
    bool found = false;
    for (ssize_t i = 0; i < got; i++) {
        idle->matched = buffer[i] == pong[idle->matched] ? idle->matched + 1 : buffer[i] == pong[0];
        if (idle->matched == sizeof pong - 1) {
            found = true;
            idle->matched = 0;
        }
    }
    return found;
}

int command_idle(const Options *options) {
    long files = raise_open_files();
    if (files < options->connections + 20) {
        fail("%d connections need more than %ld open files", options->connections, files);
    }
    Idle *connections = allocate(sizeof(Idle) * (size_t)options->connections);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    int64_t before = resident_bytes(options->pid);
    int64_t cpu = cpu_ns(options->pid);
    int64_t start = now_ns();
    int opened = 0;
    int ready_count = 0;
    while (ready_count < options->connections) {
        while (opened < options->connections && opened - ready_count < window) {
            Idle *idle = &connections[opened];
            idle->fd = tcp_connect(options->port, 0);
            if (idle->fd < 0) {
                fail("connection %d: %s", opened, strerror(errno));
            }
            struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)opened};
            epoll_ctl(poll, EPOLL_CTL_ADD, idle->fd, &event);
            opened++;
        }
        struct epoll_event events[256];
        int count = epoll_wait(poll, events, 256, 20000);
        if (count <= 0) {
            fail("only %d of %d connections were answered", ready_count, opened);
        }
        for (int i = 0; i < count; i++) {
            int index = (int)events[i].data.u32;
            Idle *idle = &connections[index];
            bool information = false;
            bool answered = idle_read(idle, &information);
            if (information && !idle->greeted) {
                idle->greeted = true;
                char lines[256];
                int length = snprintf(lines, sizeof lines, "%sSUB idle.%d 1\r\nPING\r\n", greeting, index);
                send_all(idle->fd, lines, (size_t)length);
            } else if (answered && !idle->answered) {
                idle->answered = true;
                ready_count++;
            }
        }
    }
    double opening = (double)(now_ns() - start) / 1e9;
    sleep_us(1500000);
    int64_t after = resident_bytes(options->pid);
    int64_t used = cpu_ns(options->pid) - cpu;

    // All of them are still served: a message to every hundredth, its delivery read back.
    int publisher = nats_connect(options->port, 0);
    int checked = 0;
    for (int i = 0; i < options->connections; i += 100) {
        char line[80];
        snprintf(line, sizeof line, "PUB idle.%d 2\r\nok\r\n", i);
        send_all(publisher, line, strlen(line));
        ping_pong(publisher);
        char expected[80];
        snprintf(expected, sizeof expected, "MSG idle.%d 1 2\r\nok\r\n", i);
        char buffer[4096] = "";
        size_t used_bytes = 0;
        while (strstr(buffer, expected) == NULL) {
            ssize_t got = recv(connections[i].fd, buffer + used_bytes, sizeof buffer - 1 - used_bytes, 0);
            if (got <= 0) {
                fail("idle connection %d is gone", i);
            }
            used_bytes += (size_t)got;
            buffer[used_bytes] = 0;
        }
        checked++;
    }
    printf(
        "{\"connections\":%d,\"checked\":%d,\"rss_start\":%lld,\"rss\":%lld,\"bytes_per_connection\":%.1f,"
        "\"seconds\":%.3f,\"cpu_ns_per_connection\":%.0f}\n",
        options->connections, checked, (long long)before, (long long)after,
        (double)(after - before) / options->connections, opening, (double)used / options->connections
    );
    // Reset instead of FIN: no thousands of sockets left in TIME_WAIT.
    struct linger linger = {1, 0};
    for (int i = 0; i < options->connections; i++) {
        setsockopt(connections[i].fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        close(connections[i].fd);
    }
    return 0;
}
