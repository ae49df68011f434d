import NATSAuth
import NATSTestSupport
import Testing

/// Accounts that one server of a cluster knows before another one does.
@Suite("accounts over routes")
struct RouteAccountTests {
    private static let accounts = """
        accounts {
          X { users: [ {user: x, password: x} ] }
          Y { users: [ {user: y, password: y} ] }
        }

        """

    @Test("messages stay in their account", arguments: RoutePairTests.pairs)
    func separate(pair: RoutePairTests.Pair) async throws {
        let text = { (name: String, routes: [Int]) in RoutePairTests.configuration(name, routes: routes) + Self.accounts
        }
        try await ConfiguredServer.with(pair.first, text("A", [])) { first in
            try await ConfiguredServer.with(pair.second, text("B", [first.clusterPort])) { second in
                for (here, there) in [(first, second), (second, first)] {
                    let subscribers = (try await here.connect("x"), try await here.connect("y"))
                    let publishers = (try await there.connect("x"), try await there.connect("y"))
                    for subscriber in [subscribers.0, subscribers.1] { try await subscriber.flush("SUB foo 1\r\n") }
                    try await RoutePairTests.settle(publishers.0, "foo", subscribers.0)
                    try await RoutePairTests.settle(publishers.1, "foo", subscribers.1)
                    await publishers.0.send("PUB foo 1\r\nx\r\n")
                    try await subscribers.0.expect("MSG foo 1 1\r\nx\r\n")
                    try await subscribers.1.expectNothing()
                }
            }
        }
    }

    /// The official server forgets what it has been told of an account before it knew it.
    @Test("an account that comes with a reload, first on one server and then on the other", arguments: [true, false])
    func reloaded(isDiallerFirst: Bool) async throws {
        let text = { (name: String, routes: [Int]) in RoutePairTests.configuration(name, routes: routes) }
        try await ConfiguredServer.with(.ours, text("A", [])) { first in
            let routes = [first.clusterPort]
            try await ConfiguredServer.with(.oursOnManyLoops, text("B", routes)) { second in
                try await RoutePairTests.expectRoute(from: first, to: second)
                // The port of the listener stays what it is.
                let configurations = [(first, text("A", [])), (second, text("B", routes))]
                let (early, late) =
                    isDiallerFirst ? (configurations[1], configurations[0]) : (configurations[0], configurations[1])
                try await early.0.reload(early.1 + Self.accounts)
                let subscriber = try await early.0.connect("x")
                try await subscriber.flush("SUB foo 1\r\n")
                try await late.0.reload(late.1 + Self.accounts)
                let publisher = try await late.0.connect("x")
                try await RoutePairTests.settle(publisher, "foo", subscriber)
                try await publisher.flush("SUB back 2\r\n")
                try await RoutePairTests.settle(subscriber, "back", publisher)
                // It goes, and comes again under the same name: another account, with the same interest.
                try await late.0.reload(late.1)
                _ = try await publisher.readToEnd()
                try await late.0.reload(late.1 + Self.accounts)
                let next = try await late.0.connect("x")
                try await RoutePairTests.settle(next, "foo", subscriber)
                await next.send("PUB foo 2\r\nhi\r\n")
                try await subscriber.expect("MSG foo 1 2\r\nhi\r\n")
                try await subscriber.expectNothing()
            }
        }
    }

    @Test("an account that a server looks up when its first client comes", arguments: RoutePairTests.pairs)
    func lookedUp(pair: RoutePairTests.Pair) async throws {
        var authority = try TestOperator()
        let account = try authority.addAccount("tenant")
        let text = try authority.configurationText()
        let user = try Tenant(of: account, authority)
        try await ConfiguredServer.with(pair.first, RoutePairTests.configuration("A") + text) { first in
            let routes = [first.clusterPort]
            try await ConfiguredServer.with(
                pair.second,
                RoutePairTests.configuration("B", routes: routes) + text
            ) { second in
                for (here, there) in [(first, second), (second, first)] {
                    let subscriber = try await user.connect(to: here)
                    try await subscriber.flush("SUB foo 1\r\n")
                    let publisher = try await user.connect(to: there)
                    try await RoutePairTests.settle(publisher, "foo", subscriber)
                    await publisher.send("PUB foo 2\r\nhi\r\n")
                    try await subscriber.expect("MSG foo 1 2\r\nhi\r\n")
                    try await subscriber.expectNothing()
                }
            }
        }
    }
}
