// NATSServerCore
