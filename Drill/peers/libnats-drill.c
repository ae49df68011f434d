// A client of the drill by libnats, the official C client, as it is by itself.
//
// usage: libnats-drill NAME FAMILY INTERVAL-MS TIMEOUT-MS FAMILIES URL…
//
// What it prints, and what signals tell it, stands in Drill/NATSDrill/PeerMember.swift.
#include <nats/nats.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_FAMILIES = 8, MOST_TEXT = 256 };

static const char *name, *family;
static int64_t interval, timeout;
static natsConnection *connection;

static void check(natsStatus status, const char *what) {
    if (status == NATS_OK) {
        return;
    }
    const char *text = nats_GetLastError(NULL);
    fprintf(stderr, "libnats-drill: %s: %s: %s\n", what, natsStatus_GetText(status), text == NULL ? "" : text);
    exit(1);
}

static int64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

// MARK: phases, which signals change

enum phase { IDLE, LOADING, STOPPING, ENDING };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed;
static enum phase phase = IDLE;

static void await_phase(enum phase least) {
    pthread_mutex_lock(&lock);
    while (phase < least) {
        pthread_cond_wait(&changed, &lock);
    }
    pthread_mutex_unlock(&lock);
}

// Waits for the time between two messages; false when the load is over.
static bool pause_load(void) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    int64_t nanoseconds = end.tv_nsec + interval * 1000000;
    end.tv_sec += nanoseconds / 1000000000;
    end.tv_nsec = nanoseconds % 1000000000;
    pthread_mutex_lock(&lock);
    while (phase < STOPPING && pthread_cond_timedwait(&changed, &lock, &end) == 0) {
    }
    bool goes_on = phase < STOPPING;
    pthread_mutex_unlock(&lock);
    return goes_on;
}

// MARK: what arrives

static void tell_numbered(const char *tag, natsMsg *message) {
    const char *subject = natsMsg_GetSubject(message);
    const char *point = strrchr(subject, '.');
    printf(
        "%s %lld %s %.*s\n", tag, (long long)microseconds(), point == NULL ? subject : point + 1,
        natsMsg_GetDataLength(message), natsMsg_GetData(message)
    );
    natsMsg_Destroy(message);
}

static void on_plain(natsConnection *nc, natsSubscription *sub, natsMsg *message, void *closure) {
    (void)nc, (void)sub, (void)closure;
    tell_numbered("m", message);
}

static void on_job(natsConnection *nc, natsSubscription *sub, natsMsg *message, void *closure) {
    (void)nc, (void)sub, (void)closure;
    tell_numbered("j", message);
}

static void on_request(natsConnection *nc, natsSubscription *sub, natsMsg *message, void *closure) {
    (void)sub, (void)closure;
    const char *data = natsMsg_GetData(message);
    int length = natsMsg_GetDataLength(message);
    printf("a %lld %.*s\n", (long long)microseconds(), length, data);
    if (natsMsg_GetReply(message) != NULL) {
        natsConnection_Publish(nc, natsMsg_GetReply(message), data, length);
    }
    natsMsg_Destroy(message);
}

static void on_reconnected(natsConnection *nc, void *closure) {
    (void)nc, (void)closure;
    printf("e %lld reconnected\n", (long long)microseconds());
}

// MARK: load

static void *publish(void *closure) {
    int64_t *published = closure;
    char subject[MOST_TEXT], text[32];
    do {
        snprintf(text, sizeof text, "%lld", (long long)*published);
        snprintf(subject, sizeof subject, "plain.%s", name);
        natsStatus status = natsConnection_PublishString(connection, subject, text);
        snprintf(subject, sizeof subject, "job.%s", name);
        if (status == NATS_OK && natsConnection_PublishString(connection, subject, text) == NATS_OK) {
            *published += 1;
        } else {
            fprintf(stderr, "publish: %s\n", natsStatus_GetText(status));
        }
    } while (pause_load());
    return NULL;
}

static void *ask(void *closure) {
    const char *other = closure;
    char subject[MOST_TEXT], text[MOST_TEXT];
    int64_t number = 0;
    snprintf(subject, sizeof subject, "ask.%s", other);
    do {
        natsMsg *reply = NULL;
        snprintf(text, sizeof text, "%s %lld", name, (long long)number++);
        int length = (int)strlen(text);
        natsStatus status = natsConnection_Request(&reply, connection, subject, text, length, timeout);
        const char *outcome = natsStatus_GetText(status);
        if (status == NATS_OK) {
            bool same = natsMsg_GetDataLength(reply) == length && memcmp(natsMsg_GetData(reply), text, (size_t)length) == 0;
            outcome = same ? "ok" : "wrong reply";
        }
        printf("q %lld %s %s\n", (long long)microseconds(), other, outcome);
        natsMsg_Destroy(reply);
    } while (pause_load());
    return NULL;
}

// MARK: course

static void *run(void *closure) {
    char *families = closure;
    await_phase(LOADING);
    pthread_t threads[MOST_FAMILIES + 1];
    int count = 0;
    int64_t published = 0;
    pthread_create(&threads[count++], NULL, publish, &published);
    for (char *word = strtok(families, ","); word != NULL && count <= MOST_FAMILIES; word = strtok(NULL, ",")) {
        pthread_create(&threads[count++], NULL, ask, word);
    }
    for (int index = 0; index < count; index++) {
        pthread_join(threads[index], NULL);
    }
    for (int attempt = 0; attempt < 60; attempt++) {
        if (natsConnection_FlushTimeout(connection, 10000) == NATS_OK) {
            break;
        }
        nats_Sleep(200);
    }
    printf("p %lld %lld\n", (long long)microseconds(), (long long)published);
    return NULL;
}

int main(int count, char **arguments) {
    if (count < 7) {
        fprintf(stderr, "libnats-drill: too few arguments\n");
        return 2;
    }
    name = arguments[1];
    family = arguments[2];
    interval = atoll(arguments[3]);
    timeout = atoll(arguments[4]);
    setvbuf(stdout, NULL, _IOLBF, 1 << 16);

    // Before libnats has threads: they inherit the mask.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&changed, &attributes);

    natsOptions *options = NULL;
    natsSubscription *jobs = NULL, *requests = NULL, *plain = NULL;
    char subject[MOST_TEXT];
    check(natsOptions_Create(&options), "options");
    check(natsOptions_SetServers(options, (const char **)(arguments + 6), count - 6), "servers");
    check(natsOptions_SetName(options, name), "name");
    // Forever, as a client that takes part in a rolling upgrade has to be told.
    check(natsOptions_SetMaxReconnect(options, -1), "reconnect");
    check(natsOptions_SetReconnectedCB(options, on_reconnected, NULL), "reconnect");
    check(natsConnection_Connect(&connection, options), "connect");
    check(natsConnection_QueueSubscribe(&jobs, connection, "job.*", family, on_job, NULL), "subscribe");
    snprintf(subject, sizeof subject, "ask.%s", family);
    check(natsConnection_QueueSubscribe(&requests, connection, subject, family, on_request, NULL), "subscribe");
    check(natsConnection_Subscribe(&plain, connection, "plain.*", on_plain, NULL), "subscribe");
    check(natsConnection_FlushTimeout(connection, 60000), "flush");

    pthread_t running;
    pthread_create(&running, NULL, run, arguments[5]);
    while (phase != ENDING) {
        int signal_number = 0;
        sigwait(&signals, &signal_number);
        pthread_mutex_lock(&lock);
        phase = signal_number == SIGUSR1 ? LOADING : signal_number == SIGUSR2 ? STOPPING : ENDING;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
    // Threads may wait for replies of servers that are gone: nothing is to be seen of them any more.
    fflush(stdout);
    _exit(0);
}
