import Foundation
import NATSTestSupport

/// What a server says about a configuration with `-t`.
struct ConfigurationVerdict: Equatable {
    /// The digest of a configuration that is valid.
    var digest: String?
    /// The lines about one that is not, sorted.
    var lines: [String] = []
}

/// The official server's verdicts on many configurations.
///
/// One process each would cost more in starting than in checking: a few shells run the server file by file.
enum OfficialVerdicts {
    /// Checks the files `s0.conf`, `s1.conf` and so on of a directory.
    static func verdicts(count: Int, in directory: TemporaryDirectory) async throws -> [ConfigurationVerdict] {
        let server = try TestDependencies.officialServer(.current).orThrow("official nats-server")
        let workers = 3
        // Without a limit on time: each check takes milliseconds, and the whole is waited for below.
        let script = """
            cd "$1" || exit 1
            number=$2
            while [ "$number" -lt "$3" ]; do
                "$0" -t -c "s$number.conf" >"s$number.out" 2>&1
                echo "exit $?" >>"s$number.out"
                number=$((number + \(workers)))
            done
            """
        var processes: [ChildProcess] = []
        for worker in 0..<workers {
            processes.append(
                try ChildProcess(
                    "/bin/sh",
                    ["-c", script, server, directory.path, String(worker), String(count)],
                    environment: ConfigurationSnippet.environment
                )
            )
        }
        for process in processes {
            let exit = await process.waitForExit(timeout: .seconds(300))
            guard exit == .exited(0) else {
                throw TestFailure("the shell ended with \(String(describing: exit)): \(process.output)")
            }
        }
        return try (0..<count).map { try self.verdict(directory.read("s\($0).out"), number: $0) }
    }

    private static func verdict(_ output: String, number: Int) throws -> ConfigurationVerdict {
        var lines = output.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
        guard let exit = lines.popLast(), exit.hasPrefix("exit ") else {
            throw TestFailure("no verdict: \(output)")
        }
        let prefix = "nats-server: "
        let valid = "configuration file s\(number).conf is valid (sha256:"
        if exit == "exit 0", let line = lines.first, line.hasPrefix(prefix + valid) {
            return ConfigurationVerdict(digest: String(line.dropFirst(prefix.count + valid.count).dropLast()))
        }
        if let first = lines.first, first.hasPrefix(prefix) {
            lines[0] = String(first.dropFirst(prefix.count))
        }
        return ConfigurationVerdict(lines: lines.filter { !$0.isEmpty }.sorted())
    }
}

extension ConfigurationSnippet {
    /// The text with the directory of its files, which is named after its number.
    func text(number: Int) -> String {
        self.text.replacingOccurrences(of: "DIR", with: "d\(number)")
    }

    func write(number: Int, to directory: String) throws {
        try Data(self.text(number: number).utf8).write(to: URL(fileURLWithPath: "\(directory)/s\(number).conf"))
        for (name, text) in self.files {
            let url = URL(fileURLWithPath: "\(directory)/d\(number)/\(name)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try Data(text.utf8).write(to: url)
        }
        if self.text.hasSuffix("include DIR") {
            try FileManager.default.createDirectory(
                atPath: "\(directory)/d\(number)",
                withIntermediateDirectories: true
            )
        }
    }
}

/// A test could not do its work.
struct TestFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}

extension Optional {
    func orThrow(_ what: String) throws -> Wrapped {
        guard let self else { throw TestFailure("no \(what); run Scripts/install-test-dependencies") }
        return self
    }
}
