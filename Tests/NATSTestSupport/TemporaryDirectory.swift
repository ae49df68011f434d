import Foundation

/// A directory that is removed with everything in it when the value goes.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory.appendingPathComponent("swift-nats-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        self.path = url.path
    }

    deinit {
        try? FileManager.default.removeItem(atPath: self.path)
    }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        let path = self.path + "/" + name
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    /// The text of a file, empty when it is not there.
    package func read(_ name: String) -> String {
        let data = FileManager.default.contents(atPath: self.path + "/" + name) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    /// Gives a file another name.
    package func rename(_ name: String, to other: String) throws {
        try FileManager.default.moveItem(atPath: self.path + "/" + name, toPath: self.path + "/" + other)
    }

    /// The names of the files in a directory inside of it.
    package func names(in directory: String) -> [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: self.path + "/" + directory)) ?? []
    }

    /// The names of the files in it.
    package var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: self.path)) ?? []
    }
}
