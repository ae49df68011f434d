#include "loadgen.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { buffer_size = 262144 };

/// A MSG or HMSG that is whole in the buffer: where its reply subject and payload stand.
typedef struct {
    const char *reply;
    size_t reply_length;
    const char *payload;
    size_t payload_length;
} Message;

/// Length of the first operation in `bytes`, 0 if it is cut; `message->payload` NULL when it is no message.
static size_t parse(const char *bytes, size_t count, Message *message) {
    message->payload = NULL;
    const char *newline = memchr(bytes, '\n', count);
    if (newline == NULL) {
        return 0;
    }
    size_t line = (size_t)(newline - bytes) + 1;
    bool has_header = line > 5 && memcmp(bytes, "HMSG ", 5) == 0;
    if (line < 5 || (!has_header && memcmp(bytes, "MSG ", 4) != 0)) {
        if (bytes[0] == '-') {
            fail("%.*s", (int)line, bytes);
        }
        return line;
    }
    const char *size = newline - 2;
    while (size[-1] != ' ') {
        size--;
    }
    size_t length = (size_t)strtoul(size, NULL, 10);
    if (line + length + 2 > count) {
        return 0;
    }
    size_t header = 0;
    if (has_header) {
        // The size of the headers stands before the whole one.
        size--;
        while (size[-1] != ' ') {
            size--;
        }
        header = (size_t)strtoul(size, NULL, 10);
    }
    message->reply = size - 1;
    while (message->reply[-1] != ' ') {
        message->reply--;
    }
    message->reply_length = (size_t)(size - 1 - message->reply);
    message->payload = newline + 1 + header;
    message->payload_length = length - header;
    return line + length + 2;
}

// MARK: responder

void *responder_run(void *argument) {
    Responder *responder = argument;
    char *input = allocate(buffer_size);
    char *output = allocate(2 * buffer_size);
    size_t used = 0;
    for (;;) {
        ssize_t got = recv(responder->fd, input + used, buffer_size - used, 0);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            break;
        }
        used += (size_t)got;
        size_t taken = 0;
        size_t written = 0;
        for (;;) {
            Message message;
            const char *from = input + taken;
            size_t length = parse(from, used - taken, &message);
            if (length == 0) {
                break;
            }
            taken += length;
            if (message.payload != NULL) {
                written += (size_t)snprintf(
                    output + written, 512, "PUB %.*s %zu\r\n", (int)message.reply_length, message.reply,
                    message.payload_length
                );
                memcpy(output + written, message.payload, message.payload_length);
                written += message.payload_length;
                memcpy(output + written, "\r\n", 2);
                written += 2;
            } else if (memcmp(from, "PING", 4) == 0) {
                memcpy(output + written, "PONG\r\n", 6);
                written += 6;
            }
            if (written > buffer_size) {
                send_all(responder->fd, output, written);
                written = 0;
            }
        }
        memmove(input, input + taken, used - taken);
        used -= taken;
        if (written > 0) {
            send_all(responder->fd, output, written);
        }
    }
    free(input);
    free(output);
    return NULL;
}

int command_respond(const Options *options) {
    Responder responder = {nats_connect(options->port, 0)};
    char line[160];
    snprintf(line, sizeof line, "SUB %s 1\r\n", options->subject);
    send_confirmed(responder.fd, line);
    printf("READY\n");
    fflush(stdout);
    responder_run(&responder);
    return 0;
}

// MARK: requesters

typedef struct {
    int fd;
    int index;
    uint32_t sequence;
    int64_t sent;
    size_t used;
    char buffer[4096];
} Requester;

static void request_send(Requester *requester, size_t size) {
    char frame[2048];
    requester->sequence++;
    // A reply subject of its own for every request, as the clients' shared inbox does it.
    int head = snprintf(
        frame, 256, "PUB bench.request _INBOX.AAAAAAAAAAAAAAAAAAAA%02d.%08x %zu\r\n", requester->index,
        requester->sequence, size
    );
    memset(frame + head, 'x', size);
    char number[16];
    snprintf(number, sizeof number, "%08x", requester->sequence);
    memcpy(frame + head, number, 8);
    memcpy(frame + head + size, "\r\n", 2);
    requester->sent = now_ns();
    send_all(requester->fd, frame, (size_t)head + size + 2);
}

/// True when the reply of the request under way is there.
static bool request_receive(Requester *requester, size_t size) {
    size_t room = sizeof requester->buffer - requester->used;
    ssize_t got = recv(requester->fd, requester->buffer + requester->used, room, 0);
    if (got <= 0) {
        fail("the server closed requester %d", requester->index);
    }
    requester->used += (size_t)got;
    bool done = false;
    for (;;) {
        Message message;
        size_t length = parse(requester->buffer, requester->used, &message);
        if (length == 0) {
            return done;
        }
        if (message.payload != NULL) {
            char number[16];
            snprintf(number, sizeof number, "%08x", requester->sequence);
            if (done || message.payload_length != size || memcmp(message.payload, number, 8) != 0) {
                fail("requester %d got a wrong reply", requester->index);
            }
            done = true;
        } else if (memcmp(requester->buffer, "PING", 4) == 0) {
            send_all(requester->fd, "PONG\r\n", 6);
        }
        requester->used -= length;
        memmove(requester->buffer, requester->buffer + length, requester->used);
    }
}

int command_request(const Options *options) {
    if (options->size < 8 || options->size > 1024) {
        fail("a request has 8 to 1024 bytes");
    }
    Responder responder = {nats_connect_as(options->port, 0, options->subscriber_user)};
    send_confirmed(responder.fd, "SUB bench.request 1\r\n");
    pthread_t thread;
    pthread_create(&thread, NULL, responder_run, &responder);

    int count = options->in_flight;
    Requester *requesters = allocate(sizeof(Requester) * (size_t)count);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; i++) {
        requesters[i].index = i;
        requesters[i].fd = nats_connect_as(options->port, 0, options->publisher_user);
        char line[160];
        snprintf(line, sizeof line, "SUB _INBOX.AAAAAAAAAAAAAAAAAAAA%02d.* 1\r\n", i);
        send_confirmed(requesters[i].fd, line);
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poll, EPOLL_CTL_ADD, requesters[i].fd, &event);
    }
    size_t capacity = 4000000;
    size_t samples = 0;
    int64_t *latency = allocate(sizeof(int64_t) * capacity);
    int64_t begin = now_ns();
    int64_t start = begin + (int64_t)(options->seconds * 2e8);
    int64_t end = start + (int64_t)(options->seconds * 1e9);
    bool measuring = false;
    int64_t cpu = 0;
    for (int i = 0; i < count; i++) {
        request_send(&requesters[i], options->size);
    }
    int64_t now = begin;
    while (now < end) {
        struct epoll_event events[64];
        int ready = 1;
        if (count > 1) {
            ready = epoll_wait(poll, events, 64, 5000);
            if (ready == 0) {
                fail("no reply in 5 s");
            }
        } else {
            events[0].data.u32 = 0;
        }
        for (int i = 0; i < ready; i++) {
            Requester *requester = &requesters[events[i].data.u32];
            if (!request_receive(requester, options->size)) {
                continue;
            }
            now = now_ns();
            if (measuring && samples < capacity) {
                latency[samples++] = now - requester->sent;
            }
            if (!measuring && now >= start) {
                measuring = true;
                cpu = cpu_ns(options->pid);
                start = now_ns();
            }
            request_send(requester, options->size);
        }
    }
    cpu = cpu_ns(options->pid) - cpu;
    if (samples == 0) {
        fail("no requests");
    }
    qsort(latency, samples, sizeof(int64_t), compare_int64);
    printf(
        "{\"messages\":%zu,\"seconds\":%.6f,\"cpu_ns\":%.1f,\"rate\":%.0f,\"p50_ns\":%lld,\"p99_ns\":%lld}\n", samples,
        (double)(now - start) / 1e9, (double)cpu / (double)samples, (double)samples / ((double)(now - start) / 1e9),
        (long long)latency[samples / 2], (long long)latency[samples * 99 / 100]
    );
    return 0;
}
