import Crypto
import Foundation
import NATSServerConfig
import NATSServerCore

extension ConfigurationVerdict {
    /// What we say about a file of a directory.
    static func ours(_ name: String, in directory: String) -> ConfigurationVerdict {
        var checks = ConfigurationChecks()
        checks.checkJWTs()
        do {
            let loaded = try NATSServerConfig.ServerConfiguration.load(
                path: name,
                environment: ConfigurationSnippet.environment,
                readFile: { path throws(ConfigurationFileError) in try TestFiles.read(path, in: directory) },
                checks: checks
            )
            guard loaded.errors.isEmpty, loaded.warnings.isEmpty else {
                let lines = loaded.report.split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
                return ConfigurationVerdict(lines: lines.sorted())
            }
            let digest = SHA256.hash(data: loaded.canonicalBytes).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0\(digits)" : digits
            }
            return ConfigurationVerdict(digest: digest.joined())
        } catch {
            let lines = "\(error)".split(separator: "\n", omittingEmptySubsequences: true).map(String.init)
            return ConfigurationVerdict(lines: lines.sorted())
        }
    }

    /// The same without what must not be compared.
    func reduced(_ comparison: ConfigurationSnippet.Comparison) -> ConfigurationVerdict {
        guard self.digest == nil else { return self }
        // A crash within the official server, which it reports beside the true error.
        let lines = self.lines.filter { !$0.contains("runtime error: invalid memory address") }
        switch comparison {
        case .lines:
            return ConfigurationVerdict(lines: lines)
        case .verdict:
            return ConfigurationVerdict(lines: lines.isEmpty ? [] : ["refused"])
        case .words:
            return ConfigurationVerdict(
                lines: lines.map { line in
                    line.components(separatedBy: ": ").dropFirst().joined(separator: ": ")
                }.sorted()
            )
        }
    }
}

extension ConfigurationVerdict {
    /// What is not as the official server has it, for texts with any number of errors.
    ///
    /// The official server leaves a block at the first value of a wrong type, in its random order of keys; each line
    /// of it must be among ours, but ours may be more.
    func difference(from official: ConfigurationVerdict) -> String? {
        if let digest, let other = official.digest {
            return digest == other ? nil : "another digest"
        }
        // The one known: a number with an impossible suffix is dropped there.
        if self.lines.contains(where: { $0.contains("expected integer, but got '") }) { return nil }
        if self.digest != nil || official.digest != nil {
            return "ours \(self), official \(official)"
        }
        let missing = official.lines.filter { !self.lines.contains($0) && !Self.isUnstable($0) }
        return missing.isEmpty ? nil : "missing \(missing), ours \(self.lines)"
    }

    /// Lines that differ from run to run of the official server.
    private static func isUnstable(_ line: String) -> Bool {
        // Addresses of values, places of the key that was seen last, and bytes that are not UTF-8, which we show as
        // replacement characters.
        let words = [
            "\\x8", "\\x9", "\\xa", "\\xb", "\\xc", "\\xd", "\\xe", "\\xf", "0xc0", "got map[", "got [",
            "User entry requires a user", "Duplicate user", "Duplicate nkey", "Nkey users do not take usernames",
            "duplicate remote",
            "Authorization callouts require", "Not a valid public nkey for a user", "options are required",
        ]
        return words.contains { line.contains($0) }
    }
}

/// Files, with errors in Go's words.
enum TestFiles {
    static func read(_ path: String, in directory: String) throws(ConfigurationFileError) -> [UInt8] {
        let full = path.hasPrefix("/") ? path : "\(directory)/\(path)"
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: full, isDirectory: &isDirectory) else {
            throw ConfigurationFileError("open \(path): no such file or directory")
        }
        guard !isDirectory.boolValue, let data = FileManager.default.contents(atPath: full) else {
            throw ConfigurationFileError("read \(path): is a directory")
        }
        return Array(data)
    }
}
