// Load generator for NATS servers: raw sockets, frames encoded beforehand, every delivered byte compared.
//
// It measures the processor time of the *server* (user + system, all threads) per published message, so it needs the
// server's process id. Output is one line of JSON.
#ifndef LOADGEN_H
#define LOADGEN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// MARK: time and processes (system.c)

int64_t now_ns(void);
void sleep_us(int64_t microseconds);
/// Processor time of another process, user and system, all threads, in nanoseconds.
int64_t cpu_ns(pid_t pid);
/// Resident bytes of another process.
int64_t resident_bytes(pid_t pid);
/// Raises the soft limit of open files to the hard one and returns it.
long raise_open_files(void);
int compare_int64(const void *left, const void *right);
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
void *allocate(size_t bytes);

// MARK: connections (connection.c)

/// Connects, reads INFO, sends CONNECT and waits for PONG. With `receive_buffer` > 0 the kernel buffer is fixed to that.
int nats_connect(int port, int receive_buffer);
/// The same as a user whose password is its name; nobody if `user` is NULL.
int nats_connect_as(int port, int receive_buffer, const char *user);
void send_all(int fd, const void *bytes, size_t count);
/// Sends a line such as `SUB a 1\r\n` and then PING, and waits for the PONG. For connections that receive no messages yet.
void send_confirmed(int fd, const char *line);
/// PING, then everything up to the PONG; any -ERR ends the program. For connections that receive no messages.
void ping_pong(int fd);
int tcp_connect(int port, int receive_buffer);
/// Publishes until another server has passed something on, so that all it knows of subscriptions so far has got here.
void await_route(int publisher, int subscriber);

// MARK: frames (frames.c)

/// Frames of equal length, one after the other, as an endless ring. `overhang` bytes from the start are repeated at the end,
/// so that a piece of up to that length can be taken from anywhere.
typedef struct {
    char *bytes;
    size_t frame;
    size_t count;
    size_t length;
} Ring;

typedef struct {
    const char *prefix;  // "bench.subject" or, with `subjects` > 1, what stands before the number
    int subjects;        // 1: the prefix is the whole subject
    size_t payload;
    bool uniform;        // all payloads equal, for receivers that see a part of the stream
} RingOptions;

/// `sid` NULL: PUB frames; otherwise the MSG frames that a server makes of them.
Ring ring_make(RingOptions options, const char *sid, size_t overhang);

// MARK: publisher and subscriber (stream.c)

typedef struct {
    int fd;
    Ring ring;
    size_t position;
    size_t write_size;
    uint64_t limit;              // frames, 0 = until `deadline`
    atomic_int_fast64_t *deadline;
    atomic_uint_fast64_t frames; // published so far, whole frames
} Publisher;

/// Publishes until the deadline or the limit, ends on a whole frame, then PING and waits for PONG.
void publisher_run(Publisher *publisher);

typedef struct {
    int fd;
    const Ring *expected;
    size_t position;
    size_t ping_matched;          // bytes of a PING seen between two frames
    int failed;
    atomic_uint_fast64_t bytes;   // of messages
    atomic_int_fast64_t last;     // time of the last bytes
} Subscriber;

typedef struct {
    Subscriber *subscribers;
    int count;
    atomic_bool *stop;
} SubscriberLoop;

/// Thread: reads all subscribers and compares every byte with what is expected next.
void *subscriber_loop(void *argument);

// MARK: responder (request.c)

typedef struct {
    int fd;
} Responder;
/// Thread: answers each request with its own payload, all those of one read with one write. Ends when the connection ends.
void *responder_run(void *argument);

// MARK: commands

typedef struct {
    int port;
    int subscriber_port;  // of another server of the same cluster; 0 for the same one
    pid_t pid;
    pid_t second_pid;     // that server's
    int publishers;
    int subscribers;     // per subject
    bool queue;
    size_t size;
    int subjects;
    size_t write_size;
    double seconds;
    int in_flight;
    int connections;
    uint64_t count;
    const char *subject;
    const char *publisher_user;   // publishes, or asks
    const char *subscriber_user;  // subscribes, or answers
    char **command;
} Options;

int command_stream(const Options *options);
int command_request(const Options *options);
int command_idle(const Options *options);
int command_startup(const Options *options);
int command_dead(const Options *options);
int command_feed(const Options *options);
int command_respond(const Options *options);

#endif
