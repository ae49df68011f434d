#include "loadgen.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { receive_size = 262144 };

// MARK: publisher

void publisher_run(Publisher *publisher) {
    Ring *ring = &publisher->ring;
    uint64_t bytes = 0;
    uint64_t limit = publisher->limit * ring->frame;
    uint64_t start = atomic_load(&publisher->frames);
    bool last = false;
    while (!last) {
        size_t piece = publisher->write_size;
        if (limit > 0 && bytes + piece >= limit) {
            piece = (size_t)(limit - bytes);
            last = true;
        } else if (limit == 0 && now_ns() >= atomic_load_explicit(publisher->deadline, memory_order_relaxed)) {
            // The rest of the frame that is under way.
            piece = (ring->frame - (size_t)(bytes % ring->frame)) % ring->frame;
            last = true;
        }
        while (piece > 0) {
            size_t part = piece < publisher->write_size ? piece : publisher->write_size;
            send_all(publisher->fd, ring->bytes + publisher->position, part);
            publisher->position = (publisher->position + part) % ring->length;
            bytes += part;
            piece -= part;
        }
        atomic_store_explicit(&publisher->frames, start + bytes / ring->frame, memory_order_relaxed);
    }
    ping_pong(publisher->fd);
}

static void *publisher_thread(void *argument) {
    publisher_run(argument);
    return NULL;
}

// MARK: subscriber

static bool subscriber_take(Subscriber *subscriber, const char *bytes, size_t count) {
    static const char ping[] = "PING\r\n";
    const Ring *ring = subscriber->expected;
    while (count > 0) {
        if (subscriber->ping_matched > 0 || (subscriber->position % ring->frame == 0 && bytes[0] == 'P')) {
            if (bytes[0] != ping[subscriber->ping_matched]) {
                return false;
            }
            bytes++;
            count--;
            if (++subscriber->ping_matched == 6) {
                subscriber->ping_matched = 0;
                send_all(subscriber->fd, "PONG\r\n", 6);
            }
            continue;
        }
        size_t piece = ring->length - subscriber->position;
        if (piece > count) {
            piece = count;
        }
        const char *expected = ring->bytes + subscriber->position;
        if (memcmp(expected, bytes, piece) != 0) {
            // A PING of the server stands between two frames; anything else is an error.
            size_t same = 0;
            while (expected[same] == bytes[same]) {
                same++;
            }
            if ((subscriber->position + same) % ring->frame != 0 || bytes[same] != 'P') {
                return false;
            }
            piece = same;
        }
        subscriber->position = (subscriber->position + piece) % ring->length;
        atomic_fetch_add_explicit(&subscriber->bytes, piece, memory_order_relaxed);
        bytes += piece;
        count -= piece;
    }
    return true;
}

void *subscriber_loop(void *argument) {
    SubscriberLoop *loop = argument;
    char *buffer = allocate(receive_size);
    int poll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < loop->count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)i};
        epoll_ctl(poll, EPOLL_CTL_ADD, loop->subscribers[i].fd, &event);
    }
    while (!atomic_load_explicit(loop->stop, memory_order_relaxed)) {
        struct epoll_event events[64];
        int ready = epoll_wait(poll, events, 64, 20);
        for (int i = 0; i < ready; i++) {
            Subscriber *subscriber = &loop->subscribers[events[i].data.u32];
            for (int turn = 0; turn < 4; turn++) {
                ssize_t got = recv(subscriber->fd, buffer, receive_size, MSG_DONTWAIT);
                if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
                    break;
                }
                if (got <= 0 || !subscriber_take(subscriber, buffer, (size_t)got)) {
                    if (got > 0) {
                        fprintf(stderr, "loadgen: unexpected bytes: %.*s\n", got < 300 ? (int)got : 300, buffer);
                    }
                    subscriber->failed = got <= 0 ? 1 : 2;
                    epoll_ctl(poll, EPOLL_CTL_DEL, subscriber->fd, NULL);
                    break;
                }
                atomic_store_explicit(&subscriber->last, now_ns(), memory_order_relaxed);
            }
        }
    }
    close(poll);
    free(buffer);
    return NULL;
}

// MARK: command

typedef struct {
    uint64_t published;
    uint64_t delivered;
    int64_t wall;
    int64_t cpu;
} Phase;

/// Processor time of all servers.
static int64_t servers_cpu_ns(const Options *options) {
    return cpu_ns(options->pid) + (options->second_pid > 0 ? cpu_ns(options->second_pid) : 0);
}

static Phase run_phase(
    const Options *options, Publisher *publishers, Subscriber *subscribers, int subscriber_count,
    atomic_int_fast64_t *deadline, double seconds
) {
    uint64_t published_before = 0;
    for (int i = 0; i < options->publishers; i++) {
        published_before += atomic_load(&publishers[i].frames);
    }
    uint64_t bytes_before = 0;
    for (int i = 0; i < subscriber_count; i++) {
        bytes_before += atomic_load(&subscribers[i].bytes);
    }
    Phase phase = {0, 0, 0, 0};
    int64_t cpu = servers_cpu_ns(options);
    int64_t start = now_ns();
    atomic_store(deadline, start + (int64_t)(seconds * 1e9));
    pthread_t threads[64];
    for (int i = 0; i < options->publishers; i++) {
        pthread_create(&threads[i], NULL, publisher_thread, &publishers[i]);
    }
    for (int i = 0; i < options->publishers; i++) {
        pthread_join(threads[i], NULL);
    }
    int64_t end = now_ns();
    for (int i = 0; i < options->publishers; i++) {
        phase.published += atomic_load(&publishers[i].frames);
    }
    phase.published -= published_before;
    if (subscriber_count > 0) {
        size_t frame = subscribers[0].expected->frame;
        uint64_t copies = options->queue ? 1 : (uint64_t)options->subscribers;
        uint64_t wanted = phase.published * copies * frame;
        int64_t limit = now_ns() + 30000000000LL;
        uint64_t bytes = 0;
        for (;;) {
            bytes = 0;
            for (int i = 0; i < subscriber_count; i++) {
                if (subscribers[i].failed != 0) {
                    fail(subscribers[i].failed == 1 ? "the server closed subscriber %d" : "subscriber %d got wrong bytes", i);
                }
                bytes += atomic_load(&subscribers[i].bytes);
            }
            bytes -= bytes_before;
            if (bytes >= wanted) {
                break;
            }
            if (now_ns() > limit) {
                fail("%llu of %llu bytes were delivered", (unsigned long long)bytes, (unsigned long long)wanted);
            }
            sleep_us(200);
        }
        if (bytes != wanted) {
            fail("%llu bytes were delivered instead of %llu", (unsigned long long)bytes, (unsigned long long)wanted);
        }
        phase.delivered = bytes / frame;
        for (int i = 0; i < subscriber_count; i++) {
            int64_t last = atomic_load(&subscribers[i].last);
            end = last > end ? last : end;
        }
    }
    phase.cpu = servers_cpu_ns(options) - cpu;
    phase.wall = end - start;
    return phase;
}

int command_stream(const Options *options) {
    // One subject per publisher; `subscribers` connections on each.
    int pairs = options->publishers;
    int subscriber_count = pairs * options->subscribers;
    atomic_int_fast64_t deadline = 0;
    atomic_bool stop = false;
    Publisher *publishers = allocate(sizeof(Publisher) * (size_t)pairs);
    Subscriber *subscribers = allocate(sizeof(Subscriber) * (size_t)(subscriber_count + 1));
    for (int pair = 0; pair < pairs; pair++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, options->subjects > 1 ? "bench.%d" : "bench.stream%d", pair);
        RingOptions ring = {prefix, options->subjects, options->size, options->queue};
        Ring *expected = allocate(sizeof(Ring));
        *expected = ring_make(ring, "1", 0);
        for (int i = 0; i < options->subscribers; i++) {
            Subscriber *subscriber = &subscribers[pair * options->subscribers + i];
            int port = options->subscriber_port > 0 ? options->subscriber_port : options->port;
            subscriber->fd = nats_connect_as(port, 0, options->subscriber_user);
            subscriber->expected = expected;
            char line[160];
            snprintf(
                line, sizeof line, "SUB %s%s%s 1\r\n", prefix, options->subjects > 1 ? ".*" : "",
                options->queue ? " workers" : ""
            );
            send_confirmed(subscriber->fd, line);
        }
        Publisher *publisher = &publishers[pair];
        publisher->fd = nats_connect_as(options->port, 0, options->publisher_user);
        publisher->ring = ring_make(ring, NULL, options->write_size);
        publisher->write_size = options->write_size;
        publisher->deadline = &deadline;
        if (options->subscriber_port > 0 && options->subscribers > 0) {
            await_route(publisher->fd, subscribers[pair * options->subscribers].fd);
        }
    }
    SubscriberLoop loop = {subscribers, subscriber_count, &stop};
    pthread_t thread;
    pthread_create(&thread, NULL, subscriber_loop, &loop);
    run_phase(options, publishers, subscribers, subscriber_count, &deadline, options->seconds / 5);
    Phase phase = run_phase(options, publishers, subscribers, subscriber_count, &deadline, options->seconds);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    printf(
        "{\"messages\":%llu,\"delivered\":%llu,\"seconds\":%.6f,\"cpu_ns\":%.3f,\"rate\":%.0f,\"rss\":%lld}\n",
        (unsigned long long)phase.published, (unsigned long long)phase.delivered, (double)phase.wall / 1e9,
        (double)phase.cpu / (double)phase.published, (double)phase.published / ((double)phase.wall / 1e9),
        (long long)resident_bytes(options->pid)
    );
    return 0;
}

/// Publishes a number of messages for a client under test.
int command_feed(const Options *options) {
    RingOptions ring = {options->subject, 1, options->size, false};
    atomic_int_fast64_t deadline = 0;
    Publisher publisher = {
        .fd = nats_connect(options->port, 0),
        .ring = ring_make(ring, NULL, options->write_size),
        .write_size = options->write_size,
        .limit = options->count,
        .deadline = &deadline,
    };
    int64_t start = now_ns();
    publisher_run(&publisher);
    printf(
        "{\"messages\":%llu,\"seconds\":%.6f}\n", (unsigned long long)atomic_load(&publisher.frames),
        (double)(now_ns() - start) / 1e9
    );
    return 0;
}
