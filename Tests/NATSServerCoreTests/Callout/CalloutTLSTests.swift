import NATSAuth
import NATSTestSupport
import NIOSSL
import Testing

/// What an authorization service is told of a secured connection, on the official server and ours.
@Suite("auth callout: TLS")
struct CalloutTLSTests {
    private struct Told: Equatable {
        var versions: [String] = []
        var ciphers: [String] = []
        var certificates: [[String]] = []
        var chains: [[[String]]] = []
    }

    private func told(
        _ kind: ServerUnderTest,
        verify: Bool,
        _ authority: TestAuthority,
        _ files: TemporaryDirectory
    )
        async throws -> Told
    {
        let service = try CalloutService(isSealed: true)
        let text = """
            authorization { timeout: 60, \(service.block()) }
            accounts { AUTH { users: [{user: auth, password: auth}] }, APP {} }
            tls {
              cert_file: "\(files.path)/server.pem", key_file: "\(files.path)/server.key", ca_file: "\(files.path)/ca.pem"
              verify: \(verify), timeout: 60
            }
            allow_non_tls: true

            """
        let client = try authority.client()
        try files.write(client.certificateText, to: "client.pem")
        return try await ConfiguredServer.with(kind, text) { server in
            let claims = Watched<[AuthorizationRequestClaims]>([])
            try await service.serve(port: server.port) { question in
                claims.update { $0.append(question.claims) }
                return [.user(CalloutService.user(question, "APP"))]
            } while: {
                let options = SecureConnection.Options(authority: authority.text, identity: verify ? client : nil)
                for options in [options, options.ofVersion12] {
                    let peer = try await SecureConnection.connect(port: server.port, options)
                    await peer.send("CONNECT {\"verbose\":false,\"user\":\"u\"}\r\nPING\r\n")
                    _ = try await peer.read(until: "PONG\r\n")
                }
            }
            var told = Told()
            for tls in claims.value.map(\.tls) {
                told.versions.append(tls?.version ?? "none")
                told.ciphers.append(tls?.cipher ?? "none")
                told.certificates.append(tls?.certificates ?? [])
                told.chains.append(tls?.verifiedChains ?? [])
            }
            if verify {
                // The client's certificate first, then whose it is; the same PEM text as the official server's.
                let chain = [client.certificateText, authority.text].map { $0.filter { !$0.isNewline } }
                #expect(told.chains.map { $0.map { $0.map { $0.filter { !$0.isNewline } } } } == [[chain], [chain]])
                #expect(told.chains.joined().joined().allSatisfy { $0.hasSuffix("-----END CERTIFICATE-----\n") })
                told.chains = []
            }
            return told
        }
    }

    @Test("version, cipher suite and certificates", .timeLimit(.minutes(2)), arguments: [false, true])
    func tls(verify: Bool) async throws {
        let authority = try TestAuthority()
        let files = try TemporaryDirectory()
        let server = try authority.server()
        try files.write(server.certificateText, to: "server.pem")
        try files.write(server.keyText, to: "server.key")
        try files.write(authority.text, to: "ca.pem")
        var all: [Told] = []
        for kind in ServerUnderTest.available {
            all.append(try await self.told(kind, verify: verify, authority, files))
        }
        #expect(all.first?.versions == ["1.3", "1.2"])
        // Of TLS 1.3 each library prefers a suite of its own.
        #expect(all.allSatisfy { $0.ciphers.last == "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384" })
        #expect(all.allSatisfy { $0.ciphers.first?.hasPrefix("TLS_") == true })
        for told in all {
            #expect(told.versions == all.first?.versions)
            #expect(told.certificates == all.first?.certificates)
            #expect(told.chains == all.first?.chains)
        }
    }
}
