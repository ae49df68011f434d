// The system's libsodium: sealed boxes of X25519 and XSalsa20-Poly1305 for auth callout.
#include <sodium.h>
