import NATSServerCore
import NATSWire

#if canImport(Darwin)
import Darwin
#elseif canImport(Musl)
import Musl
#else
import Glibc
#endif

/// The file of `ports_file_dir`, which tells others the ports that are in use.
struct PortsFile: Equatable, Sendable {
    /// What it tells; empty lists are left out.
    struct Ports: Equatable, Sendable {
        var clients: [String] = []
        var monitoring: [String] = []
        var cluster: [String] = []
        var profile: [String] = []
        var webSocket: [String] = []

        /// One line of JSON without a line end, as the official server writes it.
        var json: String {
            let lists = [
                ("nats", self.clients), ("monitoring", self.monitoring), ("cluster", self.cluster),
                ("profile", self.profile), ("websocket", self.webSocket),
            ]
            let members = lists.filter { !$0.1.isEmpty }.map { name, urls in
                "\"\(name)\":[\(urls.map { "\"\($0)\"" }.joined(separator: ","))]"
            }
            return "{\(members.joined(separator: ","))}"
        }
    }

    let path: String

    /// The file of a program in a directory.
    init(directory: String, program: String, processID: Int) {
        let name = program.utf8.split(separator: UInt8(ascii: "/")).last.map { String(Substring($0)) } ?? program
        var folder = Substring(directory)
        while folder.utf8.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        self.path = folder == "/" ? "/\(name)_\(processID).ports" : "\(folder)/\(name)_\(processID).ports"
    }

    func write(_ ports: Ports) throws(SystemCallError) {
        try SystemCalls.writeFile(self.path, ports.json, mode: 0o666)
    }

    func remove() throws(SystemCallError) {
        try SystemCalls.removeFile(self.path)
    }
}
