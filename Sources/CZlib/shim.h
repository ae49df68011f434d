// The system's zlib: raw deflate for compressed WebSocket messages.
#include <zlib.h>
