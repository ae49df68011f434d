// The C client (libnats) with the command line that all client programs of the benchmarks share.
#include <getopt.h>
#include <nats/nats.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

typedef struct {
    const char *mode;
    const char *url;
    const char *subject;
    int size;
    int64_t count;
    int in_flight;
    const char *authority;
} Options;

static void check(natsStatus status, const char *what) {
    if (status != NATS_OK) {
        fprintf(stderr, "client: %s: %s\n", what, natsStatus_GetText(status));
        exit(1);
    }
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

typedef struct {
    double user;
    double system;
    double wall;
} Usage;

static Usage usage(void) {
    struct rusage resources;
    getrusage(RUSAGE_SELF, &resources);
    Usage result = {
        (double)resources.ru_utime.tv_sec + (double)resources.ru_utime.tv_usec / 1e6,
        (double)resources.ru_stime.tv_sec + (double)resources.ru_stime.tv_usec / 1e6,
        now(),
    };
    return result;
}

static long resident(void) {
    long total = 0;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%ld %ld", &total, &pages) != 2) {
        exit(1);
    }
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

static void report(Usage from, Usage to, int64_t messages, double p50, double p99) {
    printf(
        "{\"messages\":%lld,\"seconds\":%.6f,\"user\":%.6f,\"sys\":%.6f,\"p50_us\":%.2f,\"p99_us\":%.2f}\n",
        (long long)messages, to.wall - from.wall, to.user - from.user, to.system - from.system, p50, p99
    );
}

// MARK: publish

static void publish(natsConnection *connection, const Options *options) {
    char *payload = calloc(1, (size_t)options->size + 1);
    memset(payload, 'x', (size_t)options->size);
    Usage from = usage();
    for (int64_t i = 0; i < options->count; i++) {
        check(natsConnection_Publish(connection, options->subject, payload, options->size), "publish");
    }
    check(natsConnection_FlushTimeout(connection, 30000), "flush");
    report(from, usage(), options->count, 0, 0);
    free(payload);
}

// MARK: subscribe

typedef struct {
    int64_t count;
    int64_t bytes;
    int64_t wanted;
    int check;
    Usage from;
    Usage to;
    pthread_mutex_t lock;
    pthread_cond_t done;
    bool finished;
} Received;

static void on_message(natsConnection *connection, natsSubscription *subscription, natsMsg *message, void *closure) {
    (void)connection;
    (void)subscription;
    Received *received = closure;
    if (received->count == 0) {
        received->from.wall = now();
    }
    received->count++;
    received->bytes += natsMsg_GetDataLength(message);
    received->check ^= natsMsg_GetData(message)[0];
    natsMsg_Destroy(message);
    if (received->count == received->wanted) {
        received->to = usage();
        pthread_mutex_lock(&received->lock);
        received->finished = true;
        pthread_cond_signal(&received->done);
        pthread_mutex_unlock(&received->lock);
    }
}

static void subscribe(natsConnection *connection, const Options *options) {
    Received received = {.wanted = options->count};
    pthread_mutex_init(&received.lock, NULL);
    pthread_cond_init(&received.done, NULL);
    received.from = usage();
    natsSubscription *subscription = NULL;
    check(natsConnection_Subscribe(&subscription, connection, options->subject, on_message, &received), "subscribe");
    check(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
    check(natsConnection_FlushTimeout(connection, 30000), "flush");
    printf("READY\n");
    fflush(stdout);
    pthread_mutex_lock(&received.lock);
    while (!received.finished) {
        pthread_cond_wait(&received.done, &received.lock);
    }
    pthread_mutex_unlock(&received.lock);
    if (received.bytes != options->count * options->size) {
        fprintf(stderr, "client: %lld bytes received\n", (long long)received.bytes);
        exit(1);
    }
    report(received.from, received.to, received.count, 0, 0);
    natsSubscription_Destroy(subscription);
}

/// Memory of messages that nobody takes.
static void pending(natsConnection *connection, const Options *options) {
    natsSubscription *subscription = NULL;
    check(natsConnection_SubscribeSync(&subscription, connection, options->subject), "subscribe");
    check(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
    check(natsConnection_FlushTimeout(connection, 30000), "flush");
    long before = resident();
    printf("READY\n");
    fflush(stdout);
    uint64_t waiting = 0;
    while (waiting < (uint64_t)options->count) {
        usleep(2000);
        check(natsSubscription_QueuedMsgs(subscription, &waiting), "queued");
    }
    long after = resident();
    printf(
        "{\"messages\":%lld,\"rss_before\":%ld,\"rss\":%ld,\"bytes_per_message\":%.1f}\n", (long long)options->count,
        before, after, (double)(after - before) / (double)options->count
    );
    natsSubscription_Destroy(subscription);
}

// MARK: request

typedef struct {
    natsConnection *connection;
    const Options *options;
    atomic_int_fast64_t *next;
    double *latency;
} Worker;

static void *request_worker(void *argument) {
    Worker *worker = argument;
    const Options *options = worker->options;
    char *payload = calloc(1, (size_t)options->size + 1);
    memset(payload, 'x', (size_t)options->size);
    for (;;) {
        int64_t index = atomic_fetch_add(worker->next, 1);
        if (index >= options->count) {
            break;
        }
        double start = now();
        natsMsg *reply = NULL;
        check(
            natsConnection_Request(&reply, worker->connection, options->subject, payload, options->size, 10000), "request"
        );
        worker->latency[index] = now() - start;
        if (natsMsg_GetDataLength(reply) != options->size) {
            fprintf(stderr, "client: wrong reply\n");
            exit(1);
        }
        natsMsg_Destroy(reply);
    }
    free(payload);
    return NULL;
}

static int compare_double(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static void request(natsConnection *connection, const Options *options) {
    double *latency = calloc((size_t)options->count, sizeof(double));
    atomic_int_fast64_t next = 0;
    Worker worker = {connection, options, &next, latency};
    Usage from = usage();
    pthread_t threads[1024];
    for (int i = 0; i < options->in_flight; i++) {
        pthread_create(&threads[i], NULL, request_worker, &worker);
    }
    for (int i = 0; i < options->in_flight; i++) {
        pthread_join(threads[i], NULL);
    }
    Usage to = usage();
    qsort(latency, (size_t)options->count, sizeof(double), compare_double);
    report(from, to, options->count, latency[options->count / 2] * 1e6, latency[options->count * 99 / 100] * 1e6);
    free(latency);
}

int main(int argc, char **argv) {
    static const struct option long_options[] = {
        {"mode", required_argument, NULL, 'm'},  {"url", required_argument, NULL, 'u'},
        {"size", required_argument, NULL, 's'},  {"count", required_argument, NULL, 'n'},
        {"in-flight", required_argument, NULL, 'f'}, {"subject", required_argument, NULL, 'b'},
        {"ca", required_argument, NULL, 'c'},    {NULL, 0, NULL, 0},
    };
    Options options = {"publish", "nats://127.0.0.1:4222", "bench.stream0", 16, 1000000, 1, NULL};
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'm': options.mode = optarg; break;
        case 'u': options.url = optarg; break;
        case 's': options.size = atoi(optarg); break;
        case 'n': options.count = atoll(optarg); break;
        case 'f': options.in_flight = atoi(optarg); break;
        case 'b': options.subject = optarg; break;
        case 'c': options.authority = optarg; break;
        default: return 2;
        }
    }
    if (options.size < 1 || options.count < 1 || options.in_flight < 1 || options.in_flight > 1024) {
        return 2;
    }
    natsConnection *connection = NULL;
    natsOptions *how = NULL;
    check(natsOptions_Create(&how), "options");
    check(natsOptions_SetURL(how, options.url), "URL");
    if (options.authority != NULL) {
        check(natsOptions_SetSecure(how, true), "TLS");
        check(natsOptions_LoadCATrustedCertificates(how, options.authority), "authority");
    }
    check(natsConnection_Connect(&connection, how), "connect");
    natsOptions_Destroy(how);
    if (strcmp(options.mode, "publish") == 0) {
        publish(connection, &options);
    } else if (strcmp(options.mode, "subscribe") == 0) {
        subscribe(connection, &options);
    } else if (strcmp(options.mode, "pending") == 0) {
        pending(connection, &options);
    } else if (strcmp(options.mode, "request") == 0) {
        request(connection, &options);
    } else if (strcmp(options.mode, "once") == 0) {
        check(natsConnection_PublishString(connection, options.subject, "hello"), "publish");
        check(natsConnection_FlushTimeout(connection, 10000), "flush");
    } else {
        return 2;
    }
    natsConnection_Close(connection);
    natsConnection_Destroy(connection);
    nats_Close();
    return 0;
}
