import Crypto
import Foundation
import NATSServerConfig

extension ConfigurationVerdict {
    /// What we say about a file of a directory.
    static func ours(_ name: String, in directory: String) -> ConfigurationVerdict {
        do {
            let loaded = try NATSServerConfig.ServerConfiguration.load(
                path: name,
                environment: ConfigurationSnippet.environment,
                readFile: { path throws(ConfigurationFileError) in try TestFiles.read(path, in: directory) }
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
