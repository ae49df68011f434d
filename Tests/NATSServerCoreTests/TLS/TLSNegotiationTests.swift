import Testing

@testable import NATSServerCore

@Suite("TLSNegotiation")
struct TLSNegotiationTests {
    private func make(
        _ first: TLSOptions.HandshakeFirst = .off,
        allowNonTLS: Bool = false
    ) -> TLSNegotiation {
        TLSNegotiation(rules: .init(handshakeFirst: first, allowNonTLS: allowNonTLS, timeout: .seconds(2)))
    }

    @Test("without TLS everything is settled at once")
    func none() {
        var machine = TLSNegotiation(rules: nil)
        #expect(!machine.isSettled)
        #expect(machine.connected() == .sendInfoInClear)
        #expect(machine.isSettled)
        #expect(!machine.isSecured)
    }

    @Test("INFO, then the handshake")
    func usual() {
        var machine = self.make()
        #expect(machine.connected() == .sendInfoThenNegotiate)
        #expect(machine.infoSent() == .startHandshake)
        #expect(machine.isHandshaking)
        #expect(!machine.isSettled)
        #expect(machine.received(0x50) == .none)
        #expect(machine.waitedForBytes() == .none)
        #expect(machine.handshakeCompleted() == .none)
        #expect(machine.isSettled)
        #expect(machine.isSecured)
        #expect(!machine.isHandshakeFirst)
        #expect(machine.handshakeCompleted() == .none)
    }

    @Test("the handshake first")
    func first() {
        var machine = self.make(.on, allowNonTLS: true)
        #expect(machine.connected() == .startHandshake)
        #expect(machine.infoSent() == .none)
        #expect(machine.handshakeCompleted() == .sendInfo)
        #expect(machine.isHandshakeFirst)
    }

    @Test("bytes before the time has passed are a handshake, whatever they are", arguments: [0x16, 0x50] as [UInt8])
    func fallbackHandshake(byte: UInt8) {
        var machine = self.make(.fallback(after: .milliseconds(50)), allowNonTLS: true)
        #expect(machine.connected() == .waitForBytes(.milliseconds(50)))
        #expect(machine.received(byte) == .startHandshake)
        #expect(machine.waitedForBytes() == .none)
        #expect(machine.handshakeCompleted() == .sendInfo)
        #expect(machine.isHandshakeFirst)
    }

    @Test("nothing in time: INFO in clear text")
    func fallback() {
        var machine = self.make(.fallback(after: .milliseconds(50)))
        #expect(machine.connected() == .waitForBytes(.milliseconds(50)))
        #expect(machine.waitedForBytes() == .sendInfoThenNegotiate)
        #expect(machine.infoSent() == .startHandshake)
        #expect(!machine.isHandshakeFirst)
        #expect(machine.handshakeCompleted() == .none)
    }

    @Test("with allow_non_tls the first byte tells")
    func sniffing() {
        var secure = self.make(allowNonTLS: true)
        #expect(secure.connected() == .sendInfoThenNegotiate)
        #expect(secure.infoSent() == .waitForBytes(.seconds(2)))
        var clear = secure
        var silent = secure
        #expect(secure.received(0x16) == .startHandshake)
        #expect(secure.handshakeCompleted() == .none)
        #expect(secure.isSecured)
        #expect(clear.received(0x43) == .continueInClear)
        #expect(clear.isSettled)
        #expect(!clear.isSecured)
        #expect(silent.waitedForBytes() == .continueInClear)
        #expect(silent.isSettled)
        #expect(silent.received(0x16) == .none)
    }
}
