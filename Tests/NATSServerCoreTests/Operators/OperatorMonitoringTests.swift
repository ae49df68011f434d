import NATSAuth
import NATSTestSupport
import NATSWire
import Testing

/// What the monitoring pages say about JWTs; the same of the official server and ours.
@Suite(
    "monitoring of JWTs",
    .serialized,
    .enabled(if: TestDependencies.canRun(TestDependencies.officialServer(.current), "official nats-server"))
)
struct OperatorMonitoringTests {
    private struct Scene {
        var authority: TestOperator
        let account: NKeyPair
        let exporter: NKeyPair
        let user: Tenant
        let bearer: Tenant
        let stranger: Tenant
        let signing: NKeyPair

        init() throws {
            var authority = try TestOperator()
            let now = authority.now
            let signing = try NKeyPair(kind: .account)
            self.signing = signing
            let revoked = try NKeyPair(kind: .user)
            let exporter = try authority.addAccount("exporter") { account in
                var service = ExportClaim(.service, "help.*")
                service.tokenRequired = true
                service.revocations.revoke("*", upTo: now - 100)
                account.exports = [service, ExportClaim(.stream, "news")]
            }
            let from = exporter.publicKey.text
            self.account = try authority.addAccount("viewer") { account in
                account.tags = ["blue", "green"]
                account.signingKeys.add(signing.publicKey.text)
                var scope = UserScope(key: try NKeyPair(kind: .account).publicKey.text, role: "r <&>")
                scope.template.permissions.publish.allow = ["a"]
                account.signingKeys.add(scope)
                account.revocations.revoke(revoked.publicKey.text, upTo: now)
                account.imports = [
                    ImportClaim(.stream, "news", from: from), ImportClaim(.service, "help.x", from: from),
                ]
                account.mappings = ["m": [WeightedMapping("n", weight: 30)]]
                account.info.description = "a \"viewer\""
                account.defaultPermissions.publish.deny = ["x"]
            }
            self.exporter = exporter
            self.stranger = try Tenant(of: exporter, authority)
            self.user = try Tenant(of: self.account, authority, signedBy: signing) { $0.tags = ["red"] }
            self.bearer = try Tenant(of: self.account, authority) { $0.limits.bearerToken = true }
            self.authority = authority
        }

        var text: String {
            get throws {
                try self.authority.configurationText()
                    + "http: \"127.0.0.1:-1\"\nresolver_pinned_accounts: [\(self.account.publicKey.text)]\n"
            }
        }
    }

    /// A page of each server, made with the same JWTs.
    private func pages(_ scene: Scene, _ target: String) async throws -> [JSONValue] {
        var pages: [JSONValue] = []
        for server in [ServerUnderTest.official, .ours] {
            try await ConfiguredServer.with(server, scene.text) { running in
                let user = try await scene.user.connect(to: running)
                let bearer = try await scene.bearer.connect(to: running)
                // Not pinned.
                _ = try await scene.stranger.attempt(running)
                let gone = try await scene.user.connect(to: running)
                gone.close()
                try await eventually("the connection is among those that ended, and nowhere else") {
                    let closed = try await JSONValue.parse(running.fetch("/connz?state=closed&cid=0").body)
                    // The last that the official server takes it out of (client.go closeConnection).
                    let viewer = scene.account.publicKey.text
                    let account = try await JSONValue.parse(running.fetch("/accountz?acc=\(viewer)").body)
                    return closed["connections"].count == 2
                        && account["account_detail"]["client_connections"] == .number("2")
                }
                pages.append(try await JSONValue.parse(running.fetch(target).body))
                user.close()
                bearer.close()
            }
        }
        return pages
    }

    @Test("an account in detail", .timeLimit(.minutes(2)))
    func account() async throws {
        let scene = try Scene()
        let pages = try await self.pages(scene, "/accountz?acc=\(scene.account.publicKey.text)")
        let (official, ours) = (pages[0]["account_detail"], pages[1]["account_detail"])
        for name in [
            "account_name", "expired", "complete", "client_connections", "mappings", "jwt", "issuer_key", "name_tag",
            "tags", "decoded_jwt", "validation_result_jwt", "revoked_user", "exports",
        ] {
            #expect(ours[name] == official[name], "\(name): \(ours[name]) \(official[name])")
        }
        #expect(official["decoded_jwt"] != .null)
    }

    @Test("an exporter in detail", .timeLimit(.minutes(2)))
    func exporter() async throws {
        let scene = try Scene()
        var text = try scene.text
        text = text.replacing("resolver_pinned_accounts", with: "#")
        var pages: [JSONValue] = []
        for server in [ServerUnderTest.official, .ours] {
            try await ConfiguredServer.with(server, text) { running in
                _ = try await Tenant(of: scene.exporter, scene.authority).connect(to: running)
                let page = try await running.fetch("/accountz?acc=\(scene.exporter.publicKey.text)")
                pages.append(try JSONValue.parse(page.body)["account_detail"])
            }
        }
        for name in ["token_req", "revoked_activations", "response_type", "type"] {
            func values(_ page: JSONValue) -> [JSONValue] {
                page["exports"].elements.filter { $0["subject"] == .string("help.*") }.map { $0[name] }
            }
            #expect(values(pages[1]) == values(pages[0]), "\(name)")
        }
    }

    @Test("connections", .timeLimit(.minutes(2)), arguments: ["", "&auth=1"])
    func connections(_ auth: String) async throws {
        let scene = try Scene()
        for state in ["open", "closed"] {
            let pages = try await self.pages(scene, "/connz?state=\(state)\(auth)")
            #expect(pages[1]["connections"].count == pages[0]["connections"].count)
            for (ours, official) in zip(pages[1]["connections"].elements, pages[0]["connections"].elements) {
                for name in ["jwt", "issuer_key", "name_tag", "tags", "account", "authorized_user", "reason"] {
                    #expect(ours[name] == official[name], "\(state) \(name)")
                }
                #expect(ours.keys == official.keys, "\(state)")
            }
        }
    }

    @Test("the operators", .timeLimit(.minutes(2)))
    func server() async throws {
        let scene = try Scene()
        let pages = try await self.pages(scene, "/varz")
        for name in ["system_account", "pinned_account_fails"] {
            #expect(pages[1][name] == pages[0][name], "\(name)")
        }
        // The operator's JWT is signed anew for each.
        #expect(pages[1]["trusted_operators_jwt"].count == 1)
        let claims = pages.map { $0["trusted_operators_claim"].elements.first ?? .null }
        #expect(claims[0].keys == claims[1].keys && !claims[0].keys.isEmpty)
        #expect(claims[0]["nats"] == claims[1]["nats"])
    }
}

extension JSONValue {
    fileprivate subscript(_ name: String) -> JSONValue {
        guard case .object(let members) = self else { return .null }
        return members.last { $0.key == name }?.value ?? .null
    }

    fileprivate var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    fileprivate var count: Int { self.elements.count }

    fileprivate var keys: [String] {
        guard case .object(let members) = self else { return [] }
        return members.map(\.key)
    }
}
