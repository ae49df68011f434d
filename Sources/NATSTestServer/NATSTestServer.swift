// NATSTestServer
