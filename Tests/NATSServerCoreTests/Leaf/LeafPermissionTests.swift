import NATSTestSupport
import Testing

@testable import NATSServerCore

@Suite("what may pass between a leaf node and its hub")
struct LeafPermissionTests {
    private static func permissions(_ publish: PermissionOptions.Subjects?) -> LeafPermissions {
        var generator = SeededGenerator(seed: 1)
        return LeafPermissions(
            ofLeafNode: PermissionOptions(publish: publish),
            denied: [],
            isSystem: false,
            hash: SubjectHash(using: &generator)
        )
    }

    private static func mayCome(_ permissions: LeafPermissions, _ subject: String) -> Bool {
        Array(subject.utf8).withUnsafeBufferPointer { permissions.allowsReceiving($0) }
    }

    @Test("a leaf node that may publish nothing is asked for nothing, and nothing comes from it")
    func nothing() {
        let permissions = Self.permissions(PermissionOptions.Subjects(allow: []))
        for subject in ["foo", "foo.*", ">"] {
            #expect(!permissions.allowsInterest(Array(subject.utf8), queue: []))
        }
        #expect(!Self.mayCome(permissions, "foo"))
    }

    @Test("a leaf node is asked for what it may publish")
    func some() {
        let permissions = Self.permissions(PermissionOptions.Subjects(allow: ["foo.>"], deny: ["foo.secret"]))
        #expect(permissions.allowsInterest(Array("foo.a".utf8), queue: []))
        #expect(!permissions.allowsInterest(Array("bar".utf8), queue: []))
        #expect(!permissions.allowsInterest(Array("foo.secret".utf8), queue: []))
        #expect(Self.mayCome(permissions, "foo.a") && !Self.mayCome(permissions, "foo.secret"))
        #expect(Self.permissions(nil).allowsInterest(Array(">".utf8), queue: []))
    }
}
