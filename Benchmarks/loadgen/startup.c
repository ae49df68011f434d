#include "loadgen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/// Starts the server of `options->command`, which must listen on `options->port`, and times exec to PONG, then SIGTERM to exit.
int command_startup(const Options *options) {
    int64_t start = now_ns();
    pid_t pid = fork();
    if (pid < 0) {
        fail("fork failed");
    }
    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);
        dup2(null, 1);
        dup2(null, 2);
        execvp(options->command[0], options->command);
        _exit(127);
    }
    int fd = -1;
    while ((fd = tcp_connect(options->port, 0)) < 0) {
        if (now_ns() - start > 20000000000LL || waitpid(pid, NULL, WNOHANG) == pid) {
            fail("the server did not start");
        }
        sleep_us(50);
    }
    close(fd);
    fd = nats_connect(options->port, 0);
    int64_t pong = now_ns();
    int64_t cpu = cpu_ns(pid);
    int64_t resident = resident_bytes(pid);
    close(fd);
    int64_t stop = now_ns();
    kill(pid, SIGTERM);
    int status = 0;
    waitpid(pid, &status, 0);
    printf(
        "{\"exec_to_pong_ns\":%lld,\"cpu_ns\":%lld,\"rss\":%lld,\"term_to_exit_ns\":%lld,\"status\":%d}\n",
        (long long)(pong - start), (long long)cpu, (long long)resident, (long long)(now_ns() - stop),
        WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status)
    );
    return 0;
}
