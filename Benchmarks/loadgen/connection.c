#include "loadgen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int tcp_connect(int port, int receive_buffer) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        fail("socket: %s", strerror(errno));
    }
    int one = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (receive_buffer > 0) {
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        int reason = errno;
        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

void send_all(int fd, const void *bytes, size_t count) {
    const char *from = bytes;
    while (count > 0) {
        ssize_t sent = send(fd, from, count, MSG_NOSIGNAL);
        if (sent < 0) {
            if (errno == EINTR) {
                continue;
            }
            fail("send: %s", strerror(errno));
        }
        from += sent;
        count -= (size_t)sent;
    }
}

/// Reads one line (without CRLF) byte by byte: only for the few lines of a handshake.
static void read_line(int fd, char *line, size_t capacity) {
    size_t used = 0;
    for (;;) {
        char byte;
        ssize_t got = recv(fd, &byte, 1, 0);
        if (got == 0) {
            fail("the server closed the connection");
        }
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            fail("recv: %s", strerror(errno));
        }
        if (byte == '\n') {
            break;
        }
        if (used + 1 < capacity && byte != '\r') {
            line[used++] = byte;
        }
    }
    line[used] = 0;
}

static void wait_for_pong(int fd) {
    char line[4096];
    for (;;) {
        read_line(fd, line, sizeof line);
        if (strcmp(line, "PONG") == 0) {
            return;
        }
        if (strcmp(line, "PING") == 0) {
            send_all(fd, "PONG\r\n", 6);
        } else if (strncmp(line, "INFO ", 5) != 0) {
            fail("unexpected line: %s", line);
        }
    }
}

void ping_pong(int fd) {
    send_all(fd, "PING\r\n", 6);
    wait_for_pong(fd);
}

void send_confirmed(int fd, const char *line) {
    send_all(fd, line, strlen(line));
    ping_pong(fd);
}

void await_route(int publisher, int subscriber) {
    static const char last[] = "MSG ready.last ";
    char line[4096] = "";
    send_confirmed(subscriber, "SUB ready.* ready\r\n");
    struct pollfd waiting = {.fd = subscriber, .events = POLLIN};
    int64_t limit = now_ns() + 30000000000LL;
    while (strncmp(line, "MSG ready.", 10) != 0) {
        if (now_ns() > limit) {
            fail("nothing comes from the other server");
        }
        send_confirmed(publisher, "PUB ready.probe 0\r\n\r\n");
        if (poll(&waiting, 1, 10) > 0) {
            read_line(subscriber, line, sizeof line);
            if (strcmp(line, "PING") == 0) {
                send_all(subscriber, "PONG\r\n", 6);
            }
        }
    }
    send_confirmed(publisher, "PUB ready.last 0\r\n\r\n");
    while (strncmp(line, last, sizeof last - 1) != 0) {
        read_line(subscriber, line, sizeof line);
    }
    read_line(subscriber, line, sizeof line);
    send_confirmed(subscriber, "UNSUB ready\r\n");
}

int nats_connect(int port, int receive_buffer) { return nats_connect_as(port, receive_buffer, NULL); }

int nats_connect_as(int port, int receive_buffer, const char *user) {
    int fd = tcp_connect(port, receive_buffer);
    if (fd < 0) {
        fail("connect to port %d: %s", port, strerror(errno));
    }
    char line[4096];
    read_line(fd, line, sizeof line);
    if (strncmp(line, "INFO {", 6) != 0) {
        fail("no INFO but: %s", line);
    }
    char credentials[256] = "";
    if (user != NULL) {
        snprintf(credentials, sizeof credentials, ",\"user\":\"%s\",\"pass\":\"%s\"", user, user);
    }
    // As the usual clients say it.
    char connect[512];
    snprintf(
        connect, sizeof connect,
        "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"c\",\"version\":\"1\",\"protocol\":1,"
        "\"headers\":true,\"no_responders\":true%s}\r\n", credentials
    );
    send_confirmed(fd, connect);
    return fd;
}
