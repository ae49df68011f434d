import Testing

@testable import NATSServerCore

/// What a hub tells of itself.
@Suite("INFO of leaf nodes")
struct LeafInfoTests {
    private static func read(_ json: String) throws -> LeafInfo {
        try Array(json.utf8).withUnsafeBytes { try LeafInfo(json: $0) }
    }

    @Test("permissions that are too long are refused: without them everything would pass")
    func permissions() throws {
        func info(_ count: Int, _ key: String) -> String {
            let subjects = (0..<count).map { "\"s.\($0)\"" }.joined(separator: ",")
            return "{\"client_id\":1,\"\(key)\":{\"allow\":[\(subjects)]}}"
        }
        for key in ["import", "export"] {
            let read = try Self.read(info(RouteInfo.maximumListCount, key))
            let found = key == "import" ? read.importPermissions : read.exportPermissions
            #expect(found?.allow?.count == RouteInfo.maximumListCount)
        }
        for key in ["import", "export"] {
            #expect(throws: (any Error).self) { try Self.read(info(RouteInfo.maximumListCount + 1, key)) }
        }
    }
}
