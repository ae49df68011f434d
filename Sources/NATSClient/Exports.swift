// Part of the client's API, though it lives with the wire format.
@_exported public import struct NATSWire.NATSHeaders
