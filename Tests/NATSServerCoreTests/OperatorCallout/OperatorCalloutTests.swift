import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

/// Accounts whose JWTs name a service that decides about their users, on the official server and ours: who is let in, as
/// what, and what the log says.
@Suite("auth callout of accounts")
struct OperatorCalloutTests {
    private typealias Scene = OperatorCalloutScene

    private func play(_ cases: [OperatorCalloutCase], _ scene: Scene) async throws {
        let rules = Dictionary(uniqueKeysWithValues: cases.map { ($0.name, $0.answers) })
        let text = try scene.configuration()
        try await Scene.compare { kind in
            let (lines, server) = try await ConfiguredServer.with(kind, text) { server in
                let asked = Watched<[String]>([])
                let lines = try await scene.serve(server) { question in
                    asked.update { $0.append("\(question.wasSealed) \(question.claims.client.user)") }
                    return try rules[question.claims.options.name]?(question, scene) ?? [.error("nobody knows")]
                } while: {
                    var lines: [String] = []
                    for item in cases {
                        let members = ",\"jwt\":\"\(scene.guest.jwt)\",\"name\":\"\(item.name)\"\(item.members)"
                        lines.append("\(item.name): \(try await scene.attempt(server, members, then: item.then))")
                    }
                    return lines
                }
                return (lines + asked.value.map(scene.stable), server)
            }
            return Scene.Transcript(lines: lines, log: scene.stable(log: server.log))
        }
    }

    @Test("users that the service names", .timeLimit(.minutes(3)), arguments: [false, true], [false, true])
    func users(isSealed: Bool, anyAccount: Bool) async throws {
        try await self.play(OperatorCalloutCase.users, Scene(isSealed: isSealed, anyAccount: anyAccount))
    }

    @Test("responses of all kinds", .timeLimit(.minutes(3)), arguments: [false, true])
    func responses(isSealed: Bool) async throws {
        try await self.play(OperatorCalloutCase.responses, Scene(isSealed: isSealed))
    }

    /// Everything that is asked about leads to a user of `APP`.
    private func attempts(
        _ scene: Scene,
        timeout: String = "60",
        configuration: String = "",
        _ attempts: @Sendable (ConfiguredServer) async throws -> [String]
    ) async throws {
        let text = try scene.configuration(timeout: timeout, configuration)
        try await Scene.compare { kind in
            let (lines, server) = try await ConfiguredServer.with(kind, text) { server in
                let asked = Watched<[String]>([])
                let lines = try await scene.serve(server) { question in
                    let options = question.claims.options
                    asked.update { asked in
                        asked.append(
                            """
                            asked about \(question.claims.client.user) \(options.jwt == scene.guest.jwt) \(options.user) \
                            \(options.password) \(question.claims.client.nonce.isEmpty) \(options.signature.isEmpty)
                            """
                        )
                    }
                    return [.token(try scene.user(question, signedBy: scene.app))]
                } while: {
                    try await attempts(server)
                }
                return (lines + asked.value.map(scene.stable), server)
            }
            return Scene.Transcript(lines: lines, log: scene.stable(log: server.log))
        }
    }

    @Test("who is asked about, and who not", .timeLimit(.minutes(3)))
    func whom() async throws {
        let scene = try Scene()
        let (guest, service, authority) = (scene.guest, scene.serviceUser, scene.authority)
        let key = service.keys.publicKey.text
        let signing = try Tenant(of: scene.auth, authority, signedBy: scene.authSigner)
        let plain = try Tenant(of: scene.auth, authority)
        let elsewhere = try Tenant(of: scene.app, authority)
        try await self.attempts(scene) { server in
            var lines = [
                try await scene.attempt(server, ",\"jwt\":\"\(guest.jwt)\""),
                try await scene.attempt(server, ",\"jwt\":\"\(guest.jwt)\"", signedBy: guest.keys),
                try await scene.attempt(server, ",\"jwt\":\"\(guest.jwt)\",\"user\":\"joe\",\"pass\":\"p\""),
                try await scene.attempt(server, ",\"jwt\":\"\(plain.jwt)\"", signedBy: plain.keys),
                try await scene.attempt(server, ",\"jwt\":\"\(signing.jwt)\"", signedBy: signing.keys),
            ]
            // The service's own user, who may do anything but ask.
            let then = "PUB $SYS.REQ.USER.AUTH r 2\r\nhi\r\nPUB x 0\r\n\r\n"
            lines += [
                try await scene.attempt(server, ",\"jwt\":\"\(service.jwt)\"", signedBy: service.keys, then: then),
                try await scene.attempt(server, ",\"jwt\":\"\(service.jwt)\"", then: then),
                try await scene.attempt(
                    server,
                    ",\"jwt\":\"\(service.jwt)\",\"nkey\":\"\(key)\"",
                    signedBy: service.keys,
                    then: then
                ),
                try await scene.attempt(server, ",\"jwt\":\"\(service.jwt)\",\"user\":\"x\"", signedBy: service.keys),
                try await scene.attempt(server, ",\"jwt\":\"\(elsewhere.jwt)\"", signedBy: elsewhere.keys, then: then),
                try await scene.attempt(server, ",\"jwt\":\"\(elsewhere.jwt)\"", signedBy: guest.keys),
                try await scene.attempt(server, ",\"jwt\":\"\(guest.jwt)\",\"nkey\":\"\(key)\"", then: then),
                try await scene.attempt(server, ",\"jwt\":\"\(guest.jwt)\",\"user\":\"\(key)\"", then: then),
                try await scene.attempt(server, ""),
                try await scene.attempt(server, ",\"user\":\"joe\",\"pass\":\"p\""),
                try await scene.attempt(server, ",\"jwt\":\"\(guest.jwt)\",\"account\":\"x\""),
                try await scene.attempt(server, ",\"jwt\":\"\(guest.jwt)\",\"protocol\":7"),
            ]
            return lines
        }
    }

    @Test("the sentinel", .timeLimit(.minutes(3)))
    func sentinel() async throws {
        let scene = try Scene()
        let jwt = scene.guest.jwt
        try await self.attempts(scene, configuration: "default_sentinel: \(jwt)") { server in
            [
                try await scene.attempt(server, ""),
                try await scene.attempt(server, ",\"user\":\"joe\",\"pass\":\"p\""),
                try await scene.attempt(server, ",\"auth_token\":\"t\""),
                try await scene.attempt(server, ",\"jwt\":\"x\",\"user\":\"joe\",\"pass\":\"p\""),
                try await scene.attempt(server, ",\"jwt\":\"\(jwt)\""),
            ]
        }
    }

    @Test("users that the server itself refuses", .timeLimit(.minutes(3)))
    func refused() async throws {
        let scene = try Scene()
        let authority = scene.authority
        let plain = try Tenant(of: scene.auth, authority)
        let stranger = try Tenant(of: scene.auth, authority, signedBy: NKeyPair(kind: .account)) {
            $0.limits.bearerToken = true
        }
        func bearer(_ change: (inout UserClaims) -> Void) throws -> String {
            try Tenant(of: scene.auth, authority) { claims in
                claims.limits.bearerToken = true
                change(&claims)
            }.jwt
        }
        let expired = try bearer { $0.registered.expires = 1000 }
        let source = try bearer { $0.limits.sources = ["192.0.2.0/24"] }
        let types = try bearer { $0.limits.allowedConnectionTypes = ["WEBSOCKET"] }
        let proxy = try bearer { $0.limits.proxyRequired = true }
        try await self.attempts(scene, timeout: "1") { server in
            [
                "no signature " + (try await scene.attempt(server, ",\"jwt\":\"\(plain.jwt)\"")),
                "signature "
                    + (try await scene.attempt(server, ",\"jwt\":\"\(plain.jwt)\"", signedBy: scene.guest.keys)),
                "service without signature "
                    + (try await scene.attempt(server, ",\"jwt\":\"\(scene.serviceUser.jwt)\"")),
                "service without signature by name "
                    + (try await scene.attempt(
                        server,
                        ",\"jwt\":\"\(scene.serviceUser.jwt)\",\"user\":\"\(scene.serviceUser.keys.publicKey.text)\""
                    )),
                "revoked " + (try await scene.attempt(server, ",\"jwt\":\"\(scene.revoked)\"")),
                "stranger " + (try await scene.attempt(server, ",\"jwt\":\"\(stranger.jwt)\"")),
                "expired " + (try await scene.attempt(server, ",\"jwt\":\"\(expired)\"")),
                "source " + (try await scene.attempt(server, ",\"jwt\":\"\(source)\"")),
                "types " + (try await scene.attempt(server, ",\"jwt\":\"\(types)\"")),
                "proxy " + (try await scene.attempt(server, ",\"jwt\":\"\(proxy)\"")),
            ]
        }
    }

    @Test("nobody answers", .timeLimit(.minutes(2)))
    func silence() async throws {
        let scene = try Scene()
        let text = try scene.configuration(timeout: "1", "default_sentinel: \(scene.guest.jwt)")
        try await Scene.compare { kind in
            let (lines, server) = try await ConfiguredServer.with(kind, text) { server in
                let lines = [
                    try await scene.attempt(server, ",\"jwt\":\"\(scene.guest.jwt)\""),
                    try await scene.attempt(server, ""),
                    try await scene.attempt(server, ",\"user\":\"joe\""),
                    try await scene.attempt(server, ",\"jwt\":\"\(scene.guest.jwt)\",\"user\":\"joe\""),
                ]
                return (lines, server)
            }
            return Scene.Transcript(lines: lines, log: scene.stable(log: server.log))
        }
    }

    @Test("an account in which there is no place", .timeLimit(.minutes(2)))
    func noPlace() async throws {
        // One for the service.
        let scene = try Scene { $0.limits.connections = 1 }
        let text = try scene.configuration()
        let lines = try await Scene.compare { kind in
            let lines = try await ConfiguredServer.with(kind, text) { server in
                try await scene.serve(server) { question in
                    [.token(try scene.user(question, signedBy: scene.app))]
                } while: {
                    [
                        try await scene.attempt(server, scene.guestMembers()),
                        try await scene.attempt(server, scene.guestMembers(",\"user\":\"joe\"")),
                    ]
                }
            }
            return Scene.Transcript(lines: lines)
        }
        let refused = "-ERR 'maximum account active connections exceeded' END"
        #expect(lines == [refused, refused])
    }
}
