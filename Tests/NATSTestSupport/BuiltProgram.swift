import Foundation

/// The programs of this package, as built together with the tests.
package enum BuiltProgram {
    /// The path of a program, next to the test bundle that is running.
    ///
    /// - Throws: ``TestDependencies/Missing`` if it has not been built.
    package static func path(_ name: String) throws -> String {
        // The runner gets the path of the bundle: as its own name on Linux, as an argument on Apple platforms.
        for argument in CommandLine.arguments {
            var url = URL(fileURLWithPath: argument).standardizedFileURL
            while url.path != "/", url.pathExtension != "xctest" {
                url.deleteLastPathComponent()
            }
            let path = url.deletingLastPathComponent().appendingPathComponent(name).path
            if url.path != "/", FileManager.default.isExecutableFile(atPath: path) {
                return path
            }
        }
        throw TestDependencies.Missing(description: "\(name) is not built beside the tests")
    }

    /// The directory of all programs; one of them names it.
    ///
    /// - Throws: ``TestDependencies/Missing`` if that one has not been built.
    package static func directory(_ name: String) throws -> String {
        String(try self.path(name).dropLast(name.count + 1))
    }
}
