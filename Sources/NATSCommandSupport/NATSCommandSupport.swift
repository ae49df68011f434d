// NATSCommandSupport
