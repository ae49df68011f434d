// Counts the allocations of a process: LD_PRELOAD this library, and at exit the number is written to the file that
// ALLOCATION_COUNT_FILE names. Two runs with N and 2 N messages give the allocations per message without the start-up.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static atomic_ulong allocations;

static void count_one(void) {
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    count_one();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_one();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    count_one();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    count_one();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    count_one();
    *memory = __libc_memalign(alignment, size);
    return *memory == NULL ? 12 : 0;
}

__attribute__((destructor)) static void write_count(void) {
    unsigned long total = atomic_load(&allocations);
    const char *path = getenv("ALLOCATION_COUNT_FILE");
    int file = path == NULL ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (file >= 0) {
        char text[32];
        int length = snprintf(text, sizeof text, "%lu\n", total);
        if (write(file, text, (size_t)length) != length) {
            _exit(1);
        }
        close(file);
    }
}
