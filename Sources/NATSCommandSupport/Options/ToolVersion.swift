/// Our release, as `--version` prints it.
package enum ToolVersion {
    package static let current = "0.1.0"

    package static func line(tool: String) -> String {
        "\(tool) \(Self.current)"
    }
}
