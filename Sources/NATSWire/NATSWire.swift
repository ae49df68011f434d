// NATSWire
