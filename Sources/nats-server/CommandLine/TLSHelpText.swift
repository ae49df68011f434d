/// The text of `--help_tls`.
enum TLSHelpText {
    /// Cipher suites by Go's names, those that the TLS library has.
    static let cipherSuites = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
        "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
    ]

    /// Curves by Go's names.
    static let curves = [
        "SecP384r1MLKEM1024", "SecP256r1MLKEM768", "X25519MLKEM768", "X25519", "CurveP256", "CurveP384", "CurveP521",
    ]

    static func render() -> String {
        var text = """

            TLS is configured by a block of the configuration file:

                tls {
                    cert_file: "./certs/server.pem"       # certificate (chain), PEM
                    key_file:  "./certs/server-key.pem"   # its private key, PEM

                    ca_file:   "./certs/ca.pem"           # who signs the certificates of clients
                    verify:    true                       # clients must show one
                    verify_and_map: true                  # and are the user that it names

                    timeout: 2                            # seconds for the handshake
                    cipher_suites: [ "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256" ]
                    curve_preferences: [ "X25519", "CurveP256" ]
                }

            Available cipher suites include:

            """
        text += Self.cipherSuites.map { "    \($0)\n" }.joined()
        text += "\nAvailable curve preferences include:\n"
        text += Self.curves.map { "    \($0)\n" }.joined()
        text += "\nChecks of certificates by OCSP (ocsp, ocsp_cache, ocsp_peer) are not there yet.\n"
        return text
    }
}
