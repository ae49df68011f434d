import Foundation
import NATSTestSupport

/// A server of a cluster as a program of its own, the official one or ours, with the same configuration file.
final class ClusterNode: Sendable {
    enum Kind: String, Sendable, CustomStringConvertible {
        case official
        case ours

        var description: String { self.rawValue }
    }

    struct NoPorts: Error, CustomStringConvertible {
        let description: String
    }

    let kind: Kind
    let name: String
    let port: Int
    let monitoringPort: Int
    let clusterPort: Int
    private let process: ChildProcess
    private let directory: TemporaryDirectory

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - kind: Which.
    ///   - name: Its name.
    ///   - cluster: What stands in its block `cluster`; `nil` if there is none.
    ///   - more: More of its configuration.
    /// - Throws: If it does not start.
    init(_ kind: Kind, _ name: String, cluster: String? = nil, _ more: String) async throws {
        let directory = try TemporaryDirectory()
        let text = """
            server_name: \(name)
            listen: "127.0.0.1:-1"
            http: "127.0.0.1:-1"
            ports_file_dir: "\(directory.path)"
            \(cluster.map { "cluster { \($0) }" } ?? "")
            \(more)

            """
        let file = try directory.write(text, to: "server.conf")
        let official = TestDependencies.officialServer(.current)
        let path = try kind == .official ? official : BuiltProgram.path("nats-server")
        guard let path else { throw NoPorts(description: "no official server") }
        let process = try ChildProcess(path, ["-c", file])
        let ports = Watched<[String: Int]>([:])
        try await eventually("ports of \(name)") {
            guard process.isRunning else { throw NoPorts(description: "\(name) has ended:\n\(process.output)") }
            guard let file = directory.names.first(where: { $0.hasSuffix(".ports") }) else { return false }
            let found = Self.ports(directory.read(file))
            ports.update { $0 = found }
            let wanted = ["nats", "monitoring"] + (cluster == nil ? [] : ["cluster"])
            return wanted.allSatisfy { found[$0] != nil }
        }
        guard let port = ports.value["nats"], let monitoring = ports.value["monitoring"] else {
            throw NoPorts(description: "\(ports.value)")
        }
        (self.kind, self.name) = (kind, name)
        (self.port, self.monitoringPort, self.clusterPort) = (port, monitoring, ports.value["cluster"] ?? 0)
        (self.process, self.directory) = (process, directory)
    }

    private static func ports(_ text: String) -> [String: Int] {
        guard let object = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] else {
            return [:]
        }
        return object.compactMapValues { urls in
            (urls as? [String])?.first?.split(separator: ":").last.flatMap { Int($0) }
        }
    }

    var log: String { self.process.output }

    /// The port where leaf nodes are accepted, which is not among those of the file; 0 if they are not.
    var leafNodePort: Int {
        let line = self.log.split(separator: "\n").first { $0.contains("Listening for leafnode connections on ") }
        return line?.split(separator: ":").last.flatMap { Int($0) } ?? 0
    }

    func signal(_ number: CInt) { self.process.signal(number) }

    func stop() async { await self.process.stop() }

    /// A client that has been let in.
    func client(_ user: String, name: String = "", more: String = "") async throws -> SystemClient {
        let connection = try RawConnection.connect(port: self.port)
        try await connection.readInfo()
        await connection.send(
            """
            CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true,"lang":"test",\
            "version":"1.0","user":"\(user)","pass":"pw","name":"\(name)"\(more)}\r\nPING\r\n
            """
        )
        _ = try await connection.read(until: "PONG\r\n")
        return SystemClient(connection)
    }

    /// A monitoring page.
    func page(_ target: String) async throws -> HTTPAnswer { try await fetch(target, port: self.monitoringPort) }
}
