// Connects by libnats with what the arguments say, and uses what the server allows.
//
// usage: libnats-session URL [OPTION]…
//
//     password USER PASSWORD      seed PUBLIC-KEY SEED-FILE       ca FILE           hostname NAME
//     token TOKEN                 signature PUBLIC-KEY SEED       own CERTIFICATE-FILE KEY-FILE
//     secure                      trusting                        violation         timeout MILLISECONDS
//
// Sends itself a large message and prints `connected` and `received`; with `violation` it publishes to `no` as well and
// prints what libnats then tells. Prints `refused: STATUS: ERROR` if the server does not let it in.
#include <nats/nats.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t PATIENCE = 60000;
static const int SIZE = 100000;

static void check(natsStatus status, const char *what) {
    if (status == NATS_OK) {
        return;
    }
    const char *text = nats_GetLastError(NULL);
    fprintf(stderr, "libnats-session: %s: %s: %s\n", what, natsStatus_GetText(status), text == NULL ? "" : text);
    exit(1);
}

// MARK: what libnats tells by the way

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char *told = NULL;

static void on_error(natsConnection *connection, natsSubscription *subscription, natsStatus status, void *closure) {
    (void)subscription;
    (void)closure;
    const char *text = NULL;
    natsConnection_GetLastError(connection, &text);
    pthread_mutex_lock(&lock);
    if (told == NULL && asprintf(&told, "%s: %s", natsStatus_GetText(status), text == NULL ? "" : text) < 0) {
        exit(1);
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

// MARK: nkeys

static natsStatus on_nonce(char **error, unsigned char **signature, int *length, const char *nonce, void *closure) {
    (void)error;
    return nats_Sign(closure, nonce, signature, length);
}

// MARK: options

static const char *next(char ***arguments) {
    if (**arguments == NULL) {
        fprintf(stderr, "libnats-session: too few arguments\n");
        exit(2);
    }
    return *(*arguments)++;
}

static natsStatus apply(natsOptions *options, const char *word, char ***arguments, bool *violates) {
    if (strcmp(word, "password") == 0) {
        const char *user = next(arguments);
        return natsOptions_SetUserInfo(options, user, next(arguments));
    }
    if (strcmp(word, "token") == 0) {
        return natsOptions_SetToken(options, next(arguments));
    }
    if (strcmp(word, "seed") == 0) {
        const char *key = next(arguments);
        return natsOptions_SetNKeyFromSeed(options, key, next(arguments));
    }
    if (strcmp(word, "signature") == 0) {
        const char *key = next(arguments);
        return natsOptions_SetNKey(options, key, on_nonce, (void *)next(arguments));
    }
    if (strcmp(word, "ca") == 0) {
        return natsOptions_LoadCATrustedCertificates(options, next(arguments));
    }
    if (strcmp(word, "own") == 0) {
        const char *certificate = next(arguments);
        return natsOptions_LoadCertificatesChain(options, certificate, next(arguments));
    }
    if (strcmp(word, "hostname") == 0) {
        return natsOptions_SetExpectedHostname(options, next(arguments));
    }
    if (strcmp(word, "timeout") == 0) {
        return natsOptions_SetTimeout(options, atoll(next(arguments)));
    }
    if (strcmp(word, "secure") == 0) {
        return natsOptions_SetSecure(options, true);
    }
    if (strcmp(word, "trusting") == 0) {
        return natsOptions_SkipServerVerification(options, true);
    }
    if (strcmp(word, "violation") == 0) {
        *violates = true;
        return NATS_OK;
    }
    fprintf(stderr, "libnats-session: no option %s\n", word);
    exit(2);
}

int main(int count, char **arguments) {
    natsOptions *options = NULL;
    natsConnection *connection = NULL;
    natsSubscription *subscription = NULL;
    natsMsg *message = NULL;
    bool violates = false;

    if (count < 2) {
        fprintf(stderr, "libnats-session: no URL\n");
        return 2;
    }
    arguments++;
    check(natsOptions_Create(&options), "options");
    check(natsOptions_SetURL(options, next(&arguments)), "URL");
    check(natsOptions_SetAllowReconnect(options, false), "options");
    check(natsOptions_SetTimeout(options, PATIENCE), "options");
    check(natsOptions_SetErrorHandler(options, on_error, NULL), "options");
    while (*arguments != NULL) {
        const char *word = next(&arguments);
        check(apply(options, word, &arguments, &violates), word);
    }

    natsStatus status = natsConnection_Connect(&connection, options);
    if (status != NATS_OK) {
        const char *text = nats_GetLastError(NULL);
        printf("refused: %s: %s\n", natsStatus_GetText(status), text == NULL ? "" : text);
        natsOptions_Destroy(options);
        nats_Close();
        return 0;
    }
    printf("connected\n");

    char *payload = malloc((size_t)SIZE);
    if (payload == NULL) {
        return 1;
    }
    memset(payload, 'x', (size_t)SIZE);
    check(natsConnection_SubscribeSync(&subscription, connection, "ok"), "subscribe");
    check(natsConnection_Publish(connection, "ok", payload, SIZE), "publish");
    check(natsSubscription_NextMsg(&message, subscription, PATIENCE), "message");
    bool same = natsMsg_GetDataLength(message) == SIZE && memcmp(natsMsg_GetData(message), payload, (size_t)SIZE) == 0;
    printf("%s\n", same ? "received" : "received something else");
    if (violates) {
        check(natsConnection_Publish(connection, "no", payload, 1), "publish");
        check(natsConnection_FlushTimeout(connection, PATIENCE), "flush");
        pthread_mutex_lock(&lock);
        while (told == NULL) {
            pthread_cond_wait(&changed, &lock);
        }
        printf("%s\n", told);
        pthread_mutex_unlock(&lock);
    }

    free(payload);
    natsMsg_Destroy(message);
    natsSubscription_Destroy(subscription);
    natsConnection_Destroy(connection);
    natsOptions_Destroy(options);
    nats_Close();
    free(told);
    return 0;
}
