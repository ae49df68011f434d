#include "loadgen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// Numbers 0..<count in a fixed random order: neighbours in time are no neighbours in a tree.
static int *shuffled(int count) {
    int *order = allocate(sizeof(int) * (size_t)count);
    for (int i = 0; i < count; i++) {
        order[i] = i;
    }
    uint64_t state = 88172645463325252ULL;
    for (int i = count - 1; i > 0; i--) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        int j = (int)(state % (uint64_t)(i + 1));
        int swap = order[i];
        order[i] = order[j];
        order[j] = swap;
    }
    return order;
}

Ring ring_make(RingOptions options, const char *sid, size_t overhang) {
    // Small enough for the second-level cache, long enough that a lost or repeated message shows.
    size_t count = options.subjects > 1 ? (size_t)options.subjects : 131072 / (options.payload + 64) + 16;
    int *order = shuffled(options.subjects > 1 ? options.subjects : 1);
    Ring ring = {NULL, 0, count, 0};
    char head[256];
    for (size_t i = 0; i < count; i++) {
        char subject[128];
        if (options.subjects > 1) {
            snprintf(subject, sizeof subject, "%s.%06d", options.prefix, order[i]);
        } else {
            snprintf(subject, sizeof subject, "%s", options.prefix);
        }
        int length = sid != NULL ? snprintf(head, sizeof head, "MSG %s %s %zu\r\n", subject, sid, options.payload)
                                 : snprintf(head, sizeof head, "PUB %s %zu\r\n", subject, options.payload);
        if (ring.bytes == NULL) {
            ring.frame = (size_t)length + options.payload + 2;
            ring.length = ring.frame * count;
            ring.bytes = allocate(ring.length + overhang);
        }
        char *frame = ring.bytes + i * ring.frame;
        memcpy(frame, head, (size_t)length);
        char *payload = frame + length;
        for (size_t k = 0; k < options.payload; k++) {
            payload[k] = (char)('a' + (options.uniform ? k : k + i) % 26);
        }
        if (!options.uniform && options.payload >= 8) {
            char number[16];
            snprintf(number, sizeof number, "%08zx", i);
            memcpy(payload, number, 8);
        }
        memcpy(payload + options.payload, "\r\n", 2);
    }
    free(order);
    for (size_t done = 0; done < overhang;) {
        size_t piece = overhang - done < ring.length ? overhang - done : ring.length;
        memcpy(ring.bytes + ring.length + done, ring.bytes + done, piece);
        done += piece;
    }
    return ring;
}
