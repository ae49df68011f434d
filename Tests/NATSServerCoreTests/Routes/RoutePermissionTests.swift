import NATSTestSupport
import Testing

/// What a server takes from others, and gives to them.
@Suite("permissions of routes")
struct RoutePermissionTests {
    private static let permissions = """
        , permissions { import: "in.>", export: { allow: "out.>", deny: "out.secret" } }
        """

    @Test("what is not imported is not asked for, what is not exported does not go", arguments: RoutePairTests.pairs)
    func permissions(pair: RoutePairTests.Pair) async throws {
        try await ConfiguredServer.with(pair.first, RoutePairTests.configuration("A", routes: [], Self.permissions)) {
            first in
            let text = RoutePairTests.configuration("B", routes: [first.clusterPort])
            try await ConfiguredServer.with(pair.second, text) { second in
                let (near, far) = (try await first.connect(""), try await second.connect(""))
                try await near.flush("SUB other 1\r\nSUB in.a 2\r\n")
                try await RoutePairTests.settle(far, "in.a", near)
                await far.send("PUB other 0\r\n\r\nPUB in.a 3\r\nend\r\n")
                try await near.expect("MSG in.a 2 3\r\nend\r\n")
                try await far.flush("SUB other 1\r\nSUB out.* 2\r\n")
                try await RoutePairTests.settle(near, "out.a", far)
                await near.send("PUB out.secret 0\r\n\r\nPUB other 0\r\n\r\nPUB out.b 3\r\nend\r\n")
                try await far.expect("MSG out.b 2 3\r\nend\r\n")
            }
        }
    }
    @Test("what a server gives to others after a reload gets there, whoever it is", arguments: RoutePairTests.pairs)
    func reloaded(pair: RoutePairTests.Pair) async throws {
        func configuration(_ subjects: String) -> String {
            RoutePairTests.configuration("A", ", permissions { export: { allow: [\(subjects)] } }")
        }
        try await ConfiguredServer.with(pair.first, configuration("out.a")) { first in
            let text = RoutePairTests.configuration("B", routes: [first.clusterPort])
            try await ConfiguredServer.with(pair.second, text) { second in
                let (near, far) = (try await first.connect(""), try await second.connect(""))
                try await far.flush("SUB out.a 1\r\nSUB out.b 2\r\n")
                try await RoutePairTests.settle(near, "out.a", far)
                await near.send("PUB out.b 0\r\n\r\nPUB out.a 3\r\nend\r\n")
                try await far.expect("MSG out.a 1 3\r\nend\r\n")
                try await first.reload(configuration("out.a, out.b"))
                try await RoutePairTests.settle(near, "out.b", far)
            }
        }
    }
}
