#include "loadgen.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// A publisher that never stops, a subscriber that never reads, and two healthy subscribers: one on the same subject (its rate
// is bounded by what the server lets the publisher send) and one on another publisher's subject. When the server has cut the
// dead subscriber off, the next one takes its place, so the disturbed time is long enough to measure.

enum { publisher_count = 2 };

static void *publisher_thread(void *argument) {
    publisher_run(argument);
    return NULL;
}

/// Open files of the server; a connection that it cut off is one less. Reading /proc/net/tcp would say more but takes
/// milliseconds of a core, which the rates would show.
static int open_files(pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    DIR *directory = opendir(path);
    if (directory == NULL) {
        fail("cannot read %s", path);
    }
    int count = 0;
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

typedef struct {
    double rate[publisher_count];
} Rates;

typedef struct {
    uint64_t bytes[publisher_count];
    int64_t time;
} Snapshot;

static Snapshot snapshot(Subscriber *subscribers) {
    Snapshot result;
    result.time = now_ns();
    for (int i = 0; i < publisher_count; i++) {
        result.bytes[i] = atomic_load(&subscribers[i].bytes);
    }
    return result;
}

static Rates rates_between(Snapshot from, Snapshot to, const Subscriber *subscribers) {
    Rates rates;
    for (int i = 0; i < publisher_count; i++) {
        double messages = (double)(to.bytes[i] - from.bytes[i]) / (double)subscribers[i].expected->frame;
        rates.rate[i] = messages / ((double)(to.time - from.time) / 1e9);
    }
    return rates;
}

int command_dead(const Options *options) {
    atomic_int_fast64_t deadline = INT64_MAX;
    atomic_bool stop = false;
    Publisher publishers[publisher_count] = {0};
    Subscriber subscribers[publisher_count] = {0};
    for (int i = 0; i < publisher_count; i++) {
        char prefix[64];
        snprintf(prefix, sizeof prefix, "bench.stream%d", i);
        RingOptions ring = {prefix, 1, options->size, false};
        Ring *expected = allocate(sizeof(Ring));
        *expected = ring_make(ring, "1", 0);
        subscribers[i].fd = nats_connect(options->port, 0);
        subscribers[i].expected = expected;
        char line[160];
        snprintf(line, sizeof line, "SUB %s 1\r\n", prefix);
        send_confirmed(subscribers[i].fd, line);
        publishers[i].fd = nats_connect(options->port, 0);
        publishers[i].ring = ring_make(ring, NULL, options->write_size);
        publishers[i].write_size = options->write_size;
        publishers[i].deadline = &deadline;
    }
    SubscriberLoop loop = {subscribers, publisher_count, &stop};
    pthread_t reader;
    pthread_create(&reader, NULL, subscriber_loop, &loop);
    pthread_t threads[publisher_count];
    for (int i = 0; i < publisher_count; i++) {
        pthread_create(&threads[i], NULL, publisher_thread, &publishers[i]);
    }
    sleep_us((int64_t)(options->seconds * 2e5));

    Snapshot start = snapshot(subscribers);
    sleep_us((int64_t)(options->seconds * 1e6));
    Snapshot middle = snapshot(subscribers);
    Rates before = rates_between(start, middle, subscribers);
    int64_t resident = resident_bytes(options->pid);

    int64_t peak = resident;
    int64_t total_time = 0;
    int64_t longest = 0;
    int cut_off = 0;
    // At least one dead subscriber is observed to its end, however long that takes (30 s at most).
    while (now_ns() - middle.time < (int64_t)(options->seconds * 1e9) || cut_off == 0) {
        int files = open_files(options->pid);
        int fd = nats_connect(options->port, 4096);
        send_all(fd, "SUB bench.stream0 1\r\n", 21);
        int64_t begin = now_ns();
        while (open_files(options->pid) > files) {
            int64_t now = resident_bytes(options->pid);
            peak = now > peak ? now : peak;
            if (now_ns() - begin > 30000000000LL) {
                fail("the dead subscriber was not cut off in 30 s");
            }
            sleep_us(2000);
        }
        int64_t lived = now_ns() - begin;
        total_time += lived;
        longest = lived > longest ? lived : longest;
        cut_off++;
        close(fd);
    }
    Snapshot last = snapshot(subscribers);
    Rates during = rates_between(middle, last, subscribers);
    atomic_store(&deadline, 0);
    for (int i = 0; i < publisher_count; i++) {
        pthread_join(threads[i], NULL);
    }
    // Nothing is lost: every subscriber gets exactly what its publisher sent.
    for (int i = 0; i < publisher_count; i++) {
        uint64_t wanted = atomic_load(&publishers[i].frames) * subscribers[i].expected->frame;
        int64_t limit = now_ns() + 30000000000LL;
        while (atomic_load(&subscribers[i].bytes) < wanted && subscribers[i].failed == 0 && now_ns() < limit) {
            sleep_us(500);
        }
        if (atomic_load(&subscribers[i].bytes) != wanted || subscribers[i].failed != 0) {
            fail(
                "healthy subscriber %d: %llu of %llu bytes%s", i, (unsigned long long)atomic_load(&subscribers[i].bytes),
                (unsigned long long)wanted, subscribers[i].failed != 0 ? ", and it was closed" : ""
            );
        }
    }
    atomic_store(&stop, true);
    pthread_join(reader, NULL);
    printf(
        "{\"same_before\":%.0f,\"same_during\":%.0f,\"other_before\":%.0f,\"other_during\":%.0f,\"same_ratio\":%.3f,"
        "\"other_ratio\":%.3f,\"cut_off\":%d,\"mean_life_ms\":%.1f,\"longest_life_ms\":%.1f,\"rss_before\":%lld,"
        "\"rss_peak\":%lld,\"growth\":%lld,\"lost\":0}\n",
        before.rate[0], during.rate[0], before.rate[1], during.rate[1], during.rate[0] / before.rate[0],
        during.rate[1] / before.rate[1], cut_off, (double)total_time / cut_off / 1e6, (double)longest / 1e6,
        (long long)resident, (long long)peak, (long long)(peak - resident)
    );
    return 0;
}
