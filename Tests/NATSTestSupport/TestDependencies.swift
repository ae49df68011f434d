import Foundation

/// Where `Scripts/install-test-dependencies` puts what the tests compare with.
package enum TestDependencies {
    /// Something is not there, and the environment says that it must be (`CI=true`).
    package struct Missing: Error, CustomStringConvertible {
        package let description: String
    }

    /// The folder that holds Package.swift.
    package static let packageRoot: String = {
        let file = URL(fileURLWithPath: #filePath)
        return file.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    private static let directory = Self.packageRoot + "/.build/test-dependencies"

    /// True where nothing may be skipped.
    package static var isContinuousIntegration: Bool {
        let value = ProcessInfo.processInfo.environment["CI"] ?? ""
        return value == "true" || value == "1"
    }

    /// True when the long versions of tests are asked for by `NATS_LONG_TESTS=1`.
    package static var runsLongTests: Bool {
        ProcessInfo.processInfo.environment["NATS_LONG_TESTS"] == "1"
    }

    /// A number from the environment.
    package static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }

    /// The official server's program, or nil when it is not there.
    package static func officialServer(_ version: OfficialServer.Version) -> String? {
        if version == .current, let path = ProcessInfo.processInfo.environment["NATS_OFFICIAL_SERVER"] {
            return Self.executable(path)
        }
        return Self.executable(Self.directory + "/bin/nats-server-\(version.rawValue)")
    }

    /// A Python interpreter with nats-py, or nil when it is not there.
    package static var python: String? {
        Self.executable(Self.directory + "/venv/bin/python")
    }

    /// `Scripts/libnats-session.c` linked with libnats, or nil when it is not there.
    package static var libnatsSession: String? { Self.program("libnats-session") }

    /// A program of ours in another language, or nil when it is not there.
    package static func program(_ name: String) -> String? { Self.executable(Self.directory + "/bin/" + name) }

    /// A browser that can run without a screen, or nil when there is none.
    package static var browser: String? {
        let names = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"]
        return names.lazy.compactMap { Self.executable($0) }.first
    }

    /// A terminal without a screen, or nil when there is none.
    package static var tmux: String? {
        let names = ["/usr/bin/tmux", "/usr/local/bin/tmux", "/opt/homebrew/bin/tmux"]
        return names.lazy.compactMap { Self.executable($0) }.first
    }

    /// The texts of all Swift files in a folder and below, by their names.
    package static func texts(ofFilesIn directory: String) throws -> [String: String] {
        var texts: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory) where name.hasSuffix(".swift") {
            texts[name] = try String(contentsOfFile: directory + "/" + name, encoding: .utf8)
        }
        return texts
    }

    /// For conditions of tests: true when the thing is there, and true under CI, where the test must then fail.
    package static func canRun(_ path: String?, _ what: String) -> Bool {
        if path != nil || Self.isContinuousIntegration {
            return true
        }
        FileHandle.standardError.write(Data("SKIPPED: no \(what); run Scripts/install-test-dependencies\n".utf8))
        return false
    }

    static func require(_ path: String?, _ what: String) throws -> String {
        guard let path else {
            throw Missing(description: "no \(what); run Scripts/install-test-dependencies")
        }
        return path
    }

    private static func executable(_ path: String) -> String? {
        FileManager.default.isExecutableFile(atPath: path) ? path : nil
    }
}
