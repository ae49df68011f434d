#include "loadgen.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: loadgen COMMAND --port PORT [options] [-- SERVER COMMAND]\n"
    "  stream   publishers into subscribers: server CPU per published message\n"
    "           --pid --publishers N --subscribers N (each) --queue --size BYTES --subjects N --write BYTES --seconds S\n"
    "  request  request and reply: server CPU per request, latency   --pid --in-flight N --size BYTES --seconds S\n"
    "  idle     idle connections: resident bytes of the server for each   --pid --connections N\n"
    "  dead     healthy subscribers beside one that never reads   --pid --size BYTES --seconds S\n"
    "  startup  exec to PONG of a server   -- COMMAND ARGUMENTS\n"
    "  feed     publish a number of messages   --subject S --size BYTES --count N\n"
    "  respond  answer requests until the connection ends   --subject S\n"
    "  stream: --subscriber-port PORT --second-pid PID, where the subscribers are on another server of a cluster\n"
    "  stream and request: --publisher-user NAME --subscriber-user NAME, whose passwords are their names\n";

int main(int argc, char **argv) {
    static const struct option long_options[] = {
        {"port", required_argument, NULL, 'p'},      {"pid", required_argument, NULL, 'i'},
        {"publishers", required_argument, NULL, 'P'}, {"subscribers", required_argument, NULL, 'S'},
        {"queue", no_argument, NULL, 'q'},           {"size", required_argument, NULL, 's'},
        {"subjects", required_argument, NULL, 'u'},  {"write", required_argument, NULL, 'w'},
        {"seconds", required_argument, NULL, 't'},   {"in-flight", required_argument, NULL, 'f'},
        {"connections", required_argument, NULL, 'c'}, {"count", required_argument, NULL, 'n'},
        {"subject", required_argument, NULL, 'b'},   {"publisher-user", required_argument, NULL, 'U'},
        {"subscriber-user", required_argument, NULL, 'V'}, {"subscriber-port", required_argument, NULL, 'o'},
        {"second-pid", required_argument, NULL, 'j'}, {NULL, 0, NULL, 0},
    };
    static const struct {
        const char *name;
        int (*run)(const Options *);
    } commands[] = {
        {"stream", command_stream}, {"request", command_request}, {"idle", command_idle}, {"startup", command_startup},
        {"dead", command_dead},     {"feed", command_feed},       {"respond", command_respond},
    };
    Options options = {
        .publishers = 1, .subscribers = 1, .size = 16, .subjects = 1, .write_size = 32768, .seconds = 1.5, .in_flight = 1,
        .connections = 10000, .count = 1000000, .subject = "bench.stream0",
    };
    signal(SIGPIPE, SIG_IGN);
    int option;
    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        switch (option) {
        case 'p': options.port = atoi(optarg); break;
        case 'i': options.pid = atoi(optarg); break;
        case 'P': options.publishers = atoi(optarg); break;
        case 'S': options.subscribers = atoi(optarg); break;
        case 'q': options.queue = true; break;
        case 's': options.size = strtoul(optarg, NULL, 10); break;
        case 'u': options.subjects = atoi(optarg); break;
        case 'w': options.write_size = strtoul(optarg, NULL, 10); break;
        case 't': options.seconds = atof(optarg); break;
        case 'f': options.in_flight = atoi(optarg); break;
        case 'c': options.connections = atoi(optarg); break;
        case 'n': options.count = strtoull(optarg, NULL, 10); break;
        case 'b': options.subject = optarg; break;
        case 'U': options.publisher_user = optarg; break;
        case 'V': options.subscriber_user = optarg; break;
        case 'o': options.subscriber_port = atoi(optarg); break;
        case 'j': options.second_pid = atoi(optarg); break;
        default: fputs(usage, stderr); return 2;
        }
    }
    if (optind >= argc || options.port <= 0 || options.publishers < 1 || options.publishers > 64 || options.write_size < 1
        || options.seconds <= 0 || options.in_flight < 1 || options.in_flight > 99) {
        fputs(usage, stderr);
        return 2;
    }
    const char *name = argv[optind];
    options.command = argv + optind + 1;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strcmp(name, commands[i].name) == 0) {
            bool needs_pid = strcmp(name, "startup") != 0 && strcmp(name, "feed") != 0 && strcmp(name, "respond") != 0;
            if ((needs_pid && options.pid <= 0) || (strcmp(name, "startup") == 0 && options.command[0] == NULL)) {
                break;
            }
            return commands[i].run(&options);
        }
    }
    fputs(usage, stderr);
    return 2;
}
