/// What a configuration may read besides its own text, and how much.
final class ConfigurationSource {
    let environment: [String: String]
    private let readFile: (String) throws(ConfigurationFileError) -> [UInt8]
    private var filesLeft = ConfigurationSource.fileLimit
    private var bytesLeft = ConfigurationSource.byteLimit

    /// Files may include files this deep; the official server would recurse until it dies.
    static let includeDepthLimit = 32
    /// Files of one configuration, counted as often as they are included.
    static let fileLimit = 10_000
    /// Bytes of all these files.
    static let byteLimit = 256 << 20
    /// What all values may be together when each variable is written out.
    ///
    /// The official server has no limit, and
    /// can be brought down by a few lines of variables that double each other.
    static let weightLimit = ConfigurationNode.Weight(values: 20_000_000, bytes: 256 << 20, depth: 500)

    init(environment: [String: String], readFile: @escaping (String) throws(ConfigurationFileError) -> [UInt8]) {
        self.environment = environment
        self.readFile = readFile
    }

    func read(_ path: String) throws(ConfigurationFileError) -> [UInt8] {
        self.filesLeft -= 1
        guard self.filesLeft >= 0 else {
            throw ConfigurationFileError("read \(path): more than \(Self.fileLimit) files are included")
        }
        let bytes = try self.readFile(path)
        self.bytesLeft -= bytes.count
        guard self.bytesLeft >= 0 else {
            throw ConfigurationFileError("read \(path): the configuration is larger than \(Self.byteLimit) bytes")
        }
        return bytes
    }
}
