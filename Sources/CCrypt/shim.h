// The system's library of password hashes: libcrypt on Linux, within libc for musl.
#include <crypt.h>
