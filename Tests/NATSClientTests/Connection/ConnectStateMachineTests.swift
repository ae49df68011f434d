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
        #expect(machine.introduced() == true)
        #expect(machine.introduced() == false)
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
        #expect(machine.introduced() == true)
        #expect(machine.receivedInfo(self.info) == .ignore)
        #expect(machine.receivedPong() == .ready(self.info))
    }

    @Test("a server that answers while the credentials are still looked for is refused")
    func earlyPong() {
        var machine = ConnectStateMachine(wantsNoEcho: false)
        #expect(machine.introduced() == false)
        _ = machine.receivedInfo(self.info)
        guard case .fail(let failure) = machine.receivedPong() else {
            Issue.record("the PONG was taken for an answer")
            return
        }
        #expect(failure.code == .protocolViolation)
        #expect(machine.introduced() == false)
        var refused = ConnectStateMachine(wantsNoEcho: false)
        _ = refused.receivedInfo(self.info)
        #expect(refused.receivedError() == .fail)
        #expect(refused.introduced() == false)
    }

    @Test(
        "TLS comes behind INFO if either side wants it, and the INFO before it counts, but not the servers it names",
        arguments: [true, false]
    )
    func tls(isRequiredByServer: Bool) {
        var info = self.info
        info.tlsRequired = isRequiredByServer
        info.tlsAvailable = !isRequiredByServer
        var clear = info
        clear.connectURLs = ["elsewhere:4222"]
        var machine = ConnectStateMachine(wantsNoEcho: false, wantsTLS: !isRequiredByServer)
        #expect(machine.receivedInfo(clear) == .startTLS)
        #expect(machine.isSecuring && !machine.isSecure && !machine.introduced())
        #expect(machine.secured() == .sendConnectAndPing(info))
        #expect(machine.isSecure && !machine.isSecuring && machine.secured() == .ignore)
        #expect(machine.introduced() == true)
        #expect(machine.receivedPong() == .ready(info))
        #expect(machine.receivedInfo(clear) == .update(clear))
    }

    @Test("TLS first: nothing is heard before it, INFO comes then")
    func handshakeFirst() {
        var info = self.info
        info.tlsRequired = true
        var machine = ConnectStateMachine(wantsNoEcho: false, wantsTLS: true, handshakeFirst: true)
        #expect(machine.isSecuring && !machine.isAwaitingInfo)
        #expect(machine.secured() == .awaitInfo)
        #expect(machine.receivedInfo(info) == .sendConnectAndPing(info))
        var hostile = ConnectStateMachine(wantsNoEcho: false, wantsTLS: true, handshakeFirst: true)
        #expect(hostile.receivedInfo(info) == .fail(ConnectStateMachine.clearText))
    }

    @Test("nothing that is said in clear during the handshake counts")
    func clearText() {
        var info = self.info
        info.tlsRequired = true
        var pong = ConnectStateMachine(wantsNoEcho: false)
        _ = pong.receivedInfo(info)
        #expect(pong.receivedPong() == .fail(ConnectStateMachine.clearText))
        #expect(pong.secured() == .ignore)
        var other = ConnectStateMachine(wantsNoEcho: false)
        _ = other.receivedInfo(info)
        #expect(other.receivedOther() == false)
        var again = ConnectStateMachine(wantsNoEcho: false)
        _ = again.receivedInfo(info)
        #expect(again.receivedInfo(self.info) == .fail(ConnectStateMachine.clearText))
    }

    @Test("a server that does not offer the TLS that is wanted, or cannot do without echo, is refused by code")
    func unsupported() {
        var machine = ConnectStateMachine(wantsNoEcho: false, wantsTLS: true)
        guard case .fail(let failure) = machine.receivedInfo(self.info) else {
            Issue.record("a server without TLS was not refused")
            return
        }
        #expect(failure.code == .secureConnectionWanted)

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
