import Testing

@testable import NATSServerCore

@Suite("blocks of PEM")
struct PEMTests {
    private static let whole = "-----BEGIN A-----\nMQ==\n-----END A-----\n"

    @Test(
        "a block that has no end of its own is left out, and what follows is not",
        arguments: [
            whole, "text\n" + whole, "-----BEGIN A-----\nMg==\n" + whole, "-----BEGIN B-----\nMg==\n" + whole,
            "-----BEGIN B-----\nMg==\n-----END A-----\n" + whole, whole + "-----BEGIN A-----\nMg==\n",
        ]
    )
    func blocks(text: String) {
        let blocks = PEM.blocks(Array(text.utf8))
        #expect(blocks.map(\.type) == ["A"])
        #expect(blocks.map { String(decoding: $0.text, as: UTF8.self) } == [Self.whole])
    }

    @Test("header lines are noticed, per block")
    func headers() {
        let withHeader = "-----BEGIN A-----\nProc-Type: 4,ENCRYPTED\n\nMQ==\n-----END A-----\n"
        #expect(PEM.blocks(Array((withHeader + Self.whole).utf8)).map(\.hasHeaders) == [true, false])
    }
}
