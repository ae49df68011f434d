/// The paths of the monitoring pages.
enum MonitoringPath {
    /// `http_base_path` as a path: with a slash in front, none behind, and nothing to resolve.
    static func base(_ configured: String) -> String {
        self.clean(configured.hasPrefix("/") ? configured : "/" + configured)
    }

    /// A path without empty, `.` and `..` elements (Go path.Clean, for absolute paths).
    static func clean(_ path: String) -> String {
        var elements: [Substring] = []
        for element in path.split(separator: "/") {
            switch element {
            case ".": break
            case "..": _ = elements.popLast()
            default: elements.append(element)
            }
        }
        return "/" + elements.joined(separator: "/")
    }

    /// The path that a request is sent to instead, if its own is not clean; a slash at the end stays (Go's ServeMux).
    static func redirection(of path: String) -> String? {
        var cleaned = self.clean(path)
        if path.hasSuffix("/"), cleaned != "/" { cleaned += "/" }
        return cleaned == path ? nil : cleaned
    }
}
