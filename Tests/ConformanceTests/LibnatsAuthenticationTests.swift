import NATSAuth
import NATSTestServer
import NATSTestSupport
import Testing

/// The official C client's ways to say who it is.
@Suite(
    "libnats authentication",
    .serialized,
    .timeLimit(.minutes(5)),
    .enabled(if: TestDependencies.canRun(TestDependencies.libnatsSession, "libnats, the C client"))
)
struct LibnatsAuthenticationTests {
    private static let refused = LibnatsAttempt.Ending.refused("Authorization Violation")
    private static let violation = LibnatsAttempt.Ending.works(
        told: #"Not Permitted: Permissions Violation for Publish to "no""#
    )
    private static let permissions = NATSTestServer.Permissions(publish: .init(deny: ["no"]))

    @Test("no password is asked for: any will do")
    func open() async throws {
        try await LibnatsAttempt.compare(
            .init(),
            [
                .init("nothing", [], .works()),
                .init("a password", ["password", "derek", "x"], .works()),
                .init("a token", ["token", "x"], .works()),
                .init("TLS", ["secure"], .refused("Secure Connection not available")),
            ]
        )
    }

    @Test("a single user and password")
    func singleUser() async throws {
        try await LibnatsAttempt.compare(
            .init(user: "derek", password: "T0pS3cr3t", authTimeout: .seconds(60)),
            [
                .init("options", ["password", "derek", "T0pS3cr3t"], .works()),
                .init("URL", [], credentials: "derek:T0pS3cr3t", .works()),
                .init("URL before options", ["password", "derek", "x"], credentials: "derek:T0pS3cr3t", .works()),
                .init("wrong password", ["password", "derek", "T0pS3cr3"], Self.refused),
                .init("wrong password in the URL", [], credentials: "derek:x", Self.refused),
                .init("empty password", ["password", "derek", ""], Self.refused),
                .init("wrong user", ["password", "Derek", "T0pS3cr3t"], Self.refused),
                .init("token instead", ["token", "T0pS3cr3t"], Self.refused),
                .init("nothing", [], Self.refused),
            ]
        )
    }

    @Test("several users with plain and hashed passwords, and what they may do")
    func users() async throws {
        let hash = "$2a$11$3kIDaCxw.Glsl1.u5nKa6eUnNDLV5HV9tIuUp7EHhMt6Nm9myW1aS"
        let users = [
            NATSTestServer.User(name: "alice", password: "foo", permissions: Self.permissions),
            NATSTestServer.User(name: "bob", password: hash, permissions: Self.permissions),
        ]
        try await LibnatsAttempt.compare(
            .init(users: users, authTimeout: .seconds(60)),
            [
                .init("plain", ["password", "alice", "foo", "violation"], Self.violation),
                .init("hashed", ["password", "bob", "#IclkRPHUpsTmACWzmIGXr", "violation"], Self.violation),
                .init("the other's password", ["password", "bob", "foo"], Self.refused),
                .init("the hash as password", ["password", "bob", hash], Self.refused),
                .init("unknown", ["password", "carol", "foo"], Self.refused),
                .init("nothing", [], Self.refused),
            ]
        )
    }

    @Test(
        "token, plain and hashed",
        arguments: [
            ("S3Cr3T0k3n!", "S3Cr3T0k3n!"),
            ("$2a$11$W2zko751KUvVy59mUTWmpOdWjpEm5qhcCZRd05GjI/sSOT.xtiHyG", "T0pS3cr3t"),
        ]
    )
    func token(configured: String, given: String) async throws {
        try await LibnatsAttempt.compare(
            .init(token: configured, authTimeout: .seconds(60)),
            [
                .init("option", ["token", given], .works()),
                .init("URL", [], credentials: given, .works()),
                .init("wrong", ["token", given + "x"], Self.refused),
                .init("wrong in the URL", [], credentials: "x", Self.refused),
                .init("as a password", ["password", "x", given], Self.refused),
                .init("nothing", [], Self.refused),
            ]
        )
    }

    @Test("nkey, with a seed file and with a function that signs")
    func nkey() async throws {
        let pair = try NKeyPair(kind: .user)
        let stranger = try NKeyPair(kind: .user)
        let directory = try TemporaryDirectory()
        let own = try directory.write(pair.seed + "\n", to: "own.nk")
        let other = try directory.write(stranger.seed + "\n", to: "other.nk")
        let key = pair.publicKey.text
        let users = [NATSTestServer.User(nkey: key, permissions: Self.permissions)]
        try await LibnatsAttempt.compare(
            .init(users: users, authTimeout: .seconds(60)),
            [
                .init("seed file", ["seed", key, own, "violation"], Self.violation),
                .init("function", ["signature", key, pair.seed, "violation"], Self.violation),
                .init("unknown key, seed file", ["seed", stranger.publicKey.text, other], Self.refused),
                .init("unknown key, function", ["signature", stranger.publicKey.text, stranger.seed], Self.refused),
                .init("signed by another key, seed file", ["seed", key, other], Self.refused),
                .init("signed by another key, function", ["signature", key, stranger.seed], Self.refused),
                .init("the key as password", ["password", key, pair.seed], Self.refused),
                .init("nothing", [], Self.refused),
            ]
        )
    }

    @Test("a server without nkeys sends no nonce, and libnats has nothing to sign")
    func withoutNonce() async throws {
        let pair = try NKeyPair(kind: .user)
        let arguments = ["signature", pair.publicKey.text, pair.seed]
        // The words of libnats 3.4 are "input cannot be empty".
        try await LibnatsAttempt.compare(.init(), [.init("no users", arguments, .refused(""))])
    }
}
