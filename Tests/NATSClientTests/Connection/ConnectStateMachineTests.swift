import NATSWire
import Testing

@testable import NATSClient

@Suite struct ConnectStateMachineTests {
    private var info: ServerInfo {
        var info = ServerInfo()
        info.proto = 1
        info.headers = true
        return info
    }

    @Test("INFO leads to CONNECT and PING, PONG makes the connection usable, a later INFO is an update")
    func handshake() {
        var machine = ConnectStateMachine(wantsNoEcho: false)
        #expect(machine.receivedInfo(self.info) == .sendConnectAndPing(self.info))
        #expect(machine.receivedOther() == true)
        #expect(machine.receivedPong() == .ready(self.info))
        #expect(machine.isReady)
        #expect(machine.receivedInfo(self.info) == .update(self.info))
        #expect(machine.receivedPong() == .answer)
        #expect(machine.receivedError() == .report)
        #expect(machine.closed() == false)
    }

    @Test("anything but INFO at first is refused")
    func noInfo() {
        var machine = ConnectStateMachine(wantsNoEcho: false)
        #expect(machine.isAwaitingInfo)
        #expect(machine.receivedPong() == .fail(ConnectStateMachine.noInfo))
        var other = ConnectStateMachine(wantsNoEcho: false)
        #expect(other.receivedOther() == false)
        #expect(other.receivedInfo(self.info) == .ignore)
    }

    @Test("an error before the PONG ends the attempt, also before CONNECT")
    func refused() {
        var machine = ConnectStateMachine(wantsNoEcho: false)
        #expect(machine.receivedError() == .fail)
        var later = ConnectStateMachine(wantsNoEcho: false)
        _ = later.receivedInfo(self.info)
        #expect(later.receivedError() == .fail)
        #expect(later.receivedPong() == .ignore)
    }

    @Test("an INFO that overtakes the PONG changes nothing")
    func secondInfo() {
        var machine = ConnectStateMachine(wantsNoEcho: false)
        _ = machine.receivedInfo(self.info)
        #expect(machine.receivedInfo(self.info) == .ignore)
        #expect(machine.receivedPong() == .ready(self.info))
    }

    @Test("a server that requires TLS or cannot do without echo is refused by code")
    func unsupported() {
        var secure = self.info
        secure.tlsRequired = true
        var machine = ConnectStateMachine(wantsNoEcho: false)
        guard case .fail(let failure) = machine.receivedInfo(secure) else {
            Issue.record("TLS was not refused")
            return
        }
        #expect(failure.code == .secureConnectionRequired)

        var old = self.info
        old.proto = 0
        var noEcho = ConnectStateMachine(wantsNoEcho: true)
        guard case .fail(let failure) = noEcho.receivedInfo(old) else {
            Issue.record("no echo was not refused")
            return
        }
        #expect(failure.code == .noEchoNotSupported)
    }

    @Test("the end of the connection is the end of the handshake only before the PONG")
    func ends() {
        var early = ConnectStateMachine(wantsNoEcho: false)
        #expect(early.closed() == true)
        #expect(early.closed() == false)
        var middle = ConnectStateMachine(wantsNoEcho: false)
        _ = middle.receivedInfo(self.info)
        #expect(middle.closed() == true)
    }

    @Test("PINGs without sign of life make the connection stale, any byte or PONG is one")
    func keepAlive() {
        var keepAlive = KeepAlive(maxPingsOut: 2)
        #expect(keepAlive.tick() == .sendPing)
        #expect(keepAlive.tick() == .sendPing)
        #expect(keepAlive.tick() == .stale)
        var alive = KeepAlive(maxPingsOut: 2)
        for index in 0..<10 {
            #expect(alive.tick() == .sendPing)
            if index.isMultiple(of: 2) {
                alive.receivedBytes()
            } else {
                alive.receivedPong()
            }
        }
    }
}
