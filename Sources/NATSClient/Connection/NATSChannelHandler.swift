import NATSWire
import NIOCore
import NIOSSL

/// Takes one connection's bytes apart and carries its handshake out; everything else it tells to the ``ConnectionCore``.
///
/// Lives on the event loop.
final class NATSChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let core: ConnectionCore
    let address: ServerAddress
    /// Tells attempts apart.
    let attempt: UInt64
    private let credentials: NATSClientConfiguration.Credentials
    private let makeConnect: (ServerInfo) -> ConnectPayload
    let tls: NATSClientConfiguration.TLS
    /// The handler in front of this one, of a WebSocket connection.
    let webSocket: WebSocketClientHandler?
    /// The handler between that one and this, of a connection whose protocol is to be seen.
    let trace: ProtocolTraceHandler?
    /// Finds the credentials, if that takes time.
    private var credentialsTask: Task<Void, Never>?

    /// What becomes of messages.
    enum Delivery {
        case direct
        /// Another connection brings them as well: see ``Migration``.
        case match
        case discard
    }

    var delivery = Delivery.direct
    /// What the server said last, once the handshake was complete.
    private(set) var info: ServerInfo?

    var machine: ConnectStateMachine
    private(set) var context: ChannelHandlerContext?
    /// Why the connection ends; the first reason counts.
    private(set) var failure: NATSError?
    /// The `-ERR` behind which the server closes the connection.
    private(set) var serverError: ServerErrorText?
    private var isClosed = false

    /// Bytes of an operation that the end of a read cut off.
    private(set) var cut = ByteBuffer()
    /// Length of that operation, or 0 while its line has not ended.
    private var cutLength = 0
    /// PINGs of the server that have not been answered.
    private var owedPongs = 0
    /// A server that sends more than this many PINGs while it reads nothing gets no more answers kept for it.
    private static let maximumOwedPongs = 1024

    /// As many frames as the previous read had, to begin the next with enough room.
    private var expectedFrames = 4

    init(
        core: ConnectionCore,
        address: ServerAddress,
        attempt: UInt64,
        wantsNoEcho: Bool,
        tls: NATSClientConfiguration.TLS,
        credentials: NATSClientConfiguration.Credentials,
        webSocket: WebSocketClientHandler? = nil,
        trace: ProtocolTraceHandler? = nil,
        makeConnect: @escaping (ServerInfo) -> ConnectPayload
    ) {
        self.core = core
        self.address = address
        self.attempt = attempt
        self.credentials = credentials
        self.makeConnect = makeConnect
        self.tls = tls
        self.webSocket = webSocket
        self.trace = trace
        self.machine = ConnectStateMachine(
            wantsNoEcho: wantsNoEcho,
            wantsTLS: address.isSecure || tls.isWanted,
            handshakeFirst: tls.handshakeFirst,
            isWebSocket: address.isWebSocket
        )
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // The channel of a dialer is active already.
        if context.channel.isActive, self.machine.isSecuring {
            self.startTLS()
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        // A channel that never became active does not become inactive either.
        self.finish()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        if self.machine.isSecuring {
            self.startTLS()
        }
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        self.finish()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        switch error {
        case let error as NATSError:
            // From a handler in front of this one.
            self.fail(error)
        case NIOSSLError.uncleanShutdown:
            // TCP's own end says as much.
            context.close(promise: nil)
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            self.fail(NATSError(.tls, "TLS with \(self.address.url) failed", cause: error))
        default:
            // nats.go: a connection that is reset right after the handshake is one whose certificate was refused.
            let code: NATSError.Code = self.machine.isSecure && !self.machine.isReady ? .tls : .disconnected
            self.fail(NATSError(code, "the connection to \(self.address.url) failed", cause: error))
        }
    }

    /// Whether anything is read.
    ///
    /// What NIO has read already still comes.
    func setReading(_ isReading: Bool) {
        self.context?.channel.setOption(.autoRead, value: isReading).whenFailure { _ in }
    }

    /// Ends the connection for a reason.
    func fail(_ error: NATSError) {
        guard !self.isClosed else {
            return
        }
        self.failure = self.failure ?? error
        self.context?.close(promise: nil)
    }

    private func finish() {
        guard !self.isClosed else {
            return
        }
        self.isClosed = true
        let isHandshake = self.machine.closed()
        self.credentialsTask?.cancel()
        if isHandshake, self.machine.isSecure, self.serverError == nil {
            // With TLS 1.3 a client has done its part before the server looks at its certificate.
            self.failure =
                self.failure
                ?? NATSError(
                    .tls,
                    "the server \(self.address.url) closed the connection after the TLS handshake; it may have refused "
                        + "the client's certificate"
                )
        }
        let error =
            self.failure ?? self.serverError?.error
            ?? NATSError(.disconnected, "the server \(self.address.url) closed the connection")
        self.core.connectionEnded(self, error: error, serverError: self.serverError)
    }

    // MARK: Hot path

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        guard self.failure == nil else {
            return
        }
        self.core.receivedBytes(bytes.readableBytes, from: self)
        guard !self.machine.isSecuring else {
            return self.failInClear()
        }
        var offset = 0
        if self.cut.readableBytes > 0 {
            offset = self.completeCut(from: bytes)
            if self.machine.isSecuring, offset < bytes.readableBytes {
                // Behind the INFO whose beginning came earlier.
                return self.failInClear()
            }
        }
        if self.cut.readableBytes == 0, self.failure == nil {
            self.parse(bytes, from: offset)
        }
        if self.owedPongs > 0 {
            self.answerPings()
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.answerPings()
        context.fireChannelWritabilityChanged()
    }

    /// Answers all PINGs of a read at once, and none while the server does not take what it was sent.
    @inline(never)
    private func answerPings() {
        guard let context = self.context, self.failure == nil, self.owedPongs > 0 else {
            return
        }
        guard context.channel.isWritable else {
            if self.owedPongs > Self.maximumOwedPongs {
                self.fail(self.protocolError("it sends PING after PING and reads nothing"))
            }
            return
        }
        self.write(Array(repeatElement("PONG\r\n".utf8, count: self.owedPongs).joined()))
        self.owedPongs = 0
    }

    /// Takes the operations out of `bytes`; what is left of the last one is kept for the next read.
    private func parse(_ bytes: ByteBuffer, from start: Int) {
        var frames: [MessageFrame] = []
        frames.reserveCapacity(self.expectedFrames)
        var framesSid: UInt64 = 0
        var frameCount = 0
        bytes.withUnsafeReadableBytes { raw in
            var position = start
            while position < raw.count {
                switch ServerOperationParser.next(in: raw, at: &position) {
                case .message(let frame, let sid):
                    if sid != framesSid {
                        self.arrived(&frames, framesSid, bytes)
                        framesSid = sid
                    }
                    frames.append(frame)
                    frameCount &+= 1
                case .incomplete(let length):
                    self.arrived(&frames, framesSid, bytes)
                    self.core.deliver(in: bytes)
                    self.keep(raw, from: position, length: length)
                    position = raw.count
                case .invalid(let failure):
                    self.arrived(&frames, framesSid, bytes)
                    self.core.deliver(in: bytes)
                    self.protocolViolation(failure)
                    position = raw.count
                case let step:
                    // What came before a PONG or an error is delivered before it takes effect.
                    self.arrived(&frames, framesSid, bytes)
                    self.core.deliver(in: bytes)
                    self.control(step, raw)
                    if self.failure != nil {
                        position = raw.count
                    } else if self.machine.isSecuring, position < raw.count {
                        self.failInClear()
                        position = raw.count
                    }
                }
            }
            self.arrived(&frames, framesSid, bytes)
        }
        self.expectedFrames = min(max(4, frameCount), 8192)
        self.core.deliver(in: bytes)
    }

    @inline(__always)
    private func arrived(_ frames: inout [MessageFrame], _ sid: UInt64, _ bytes: ByteBuffer) {
        guard !frames.isEmpty else {
            return
        }
        if self.machine.isReady {
            if self.delivery == .direct {
                self.core.received(&frames, sid: sid, in: bytes)
            } else if self.delivery == .match {
                self.core.receivedInOverlap(&frames, sid: sid, in: bytes, from: self)
            }
        } else {
            self.messageBeforeHandshake()
        }
        frames.removeAll(keepingCapacity: true)
    }

    // MARK: Operations cut off by the end of a read

    private func keep(_ raw: UnsafeRawBufferPointer, from position: Int, length: Int) {
        let rest = UnsafeRawBufferPointer(rebasing: raw[position...])
        self.cut = ByteBufferAllocator().buffer(capacity: max(length, rest.count))
        self.cut.writeBytes(rest)
        self.cutLength = length
        self.checkCutLine()
    }

    /// Completes the operation begun by earlier reads with the first of these bytes; returns how many it took.
    private func completeCut(from bytes: ByteBuffer) -> Int {
        bytes.withUnsafeReadableBytes { raw in
            var taken = 0
            if self.cutLength == 0 {
                guard let lineFeed = raw.firstIndex(of: 0x0A) else {
                    self.cut.writeBytes(raw)
                    self.checkCutLine()
                    return raw.count
                }
                taken = lineFeed + 1
                self.cut.writeBytes(UnsafeRawBufferPointer(rebasing: raw[..<taken]))
                self.checkCutLine()
                guard self.failure == nil else {
                    return raw.count
                }
                self.cutLength = self.lengthOfCut()
                if self.cutLength == 0 {
                    return taken
                }
                self.cut.reserveCapacity(minimumWritableBytes: self.cutLength - self.cut.readableBytes)
            }
            let missing = min(self.cutLength - self.cut.readableBytes, raw.count - taken)
            self.cut.writeBytes(UnsafeRawBufferPointer(rebasing: raw[taken..<(taken + missing)]))
            taken += missing
            if self.cut.readableBytes == self.cutLength {
                let whole = self.takeCut()
                self.parse(whole, from: 0)
            }
            return taken
        }
    }

    /// The line of the cut operation is complete: the length of the message it announces, or 0 if it was all there is
    /// (it has been carried out then).
    private func lengthOfCut() -> Int {
        let length = self.cut.withUnsafeReadableBytes { raw -> Int in
            var position = 0
            guard case .incomplete(let length) = ServerOperationParser.next(in: raw, at: &position) else {
                return 0
            }
            return length
        }
        if length == 0 {
            self.parse(self.takeCut(), from: 0)
        }
        return length
    }

    private func takeCut() -> ByteBuffer {
        let whole = self.cut
        self.cut = ByteBuffer()
        self.cutLength = 0
        return whole
    }

    private func checkCutLine() {
        if self.cutLength == 0, self.cut.readableBytes > ServerOperationParser.maximumLineLength {
            self.cut = ByteBuffer()
            self.fail(
                self.protocolError("a control line is longer than \(ServerOperationParser.maximumLineLength) bytes")
            )
        }
    }

    // MARK: Control operations

    private func control(_ step: ServerOperationParser.Step, _ raw: UnsafeRawBufferPointer) {
        switch step {
        case .info(let start, let end):
            do throws(JSONError) {
                self.receivedInfo(try ServerInfo(json: UnsafeRawBufferPointer(rebasing: raw[start..<end])))
            } catch {
                self.fail(self.protocolError("INFO is malformed: \(error)"))
            }
        case .ping:
            guard self.machine.receivedOther() else {
                return self.failWithoutInfo()
            }
            self.owedPongs += 1
        case .pong:
            self.receivedPong()
        case .ok:
            if !self.machine.receivedOther() {
                self.failWithoutInfo()
            }
        case .error(let start, let end):
            self.receivedError(String(decoding: raw[start..<end], as: UTF8.self))
        case .message, .incomplete, .invalid:
            break
        }
    }

    private func receivedInfo(_ info: ServerInfo) {
        self.webSocket?.maxPayload = info.maxPayload
        switch self.machine.receivedInfo(info) {
        case .startTLS:
            self.startTLS()
        case .sendConnectAndPing(let info):
            self.introduce(info)
        case .update(let info):
            self.info = info
            self.core.receivedInfo(info, from: self)
        case .fail(let failure):
            self.fail(NATSError(failure.code, "\(self.address.url): \(failure.message)"))
        case .ignore:
            break
        }
    }

    /// Sends CONNECT and PING as soon as the credentials are there.
    func introduce(_ info: ServerInfo) {
        var payload = self.makeConnect(info)
        payload.tlsRequired = self.machine.isSecure
        self.introduce(payload, nonce: info.nonce)
    }

    private func introduce(_ payload: ConnectPayload, nonce: String) {
        if let answer = self.credentials.immediateAnswer {
            return self.introduce(payload, answer)
        }
        guard let eventLoop = self.context?.eventLoop else {
            return
        }
        let credentials = self.credentials
        let handler = NIOLoopBound(self, eventLoop: eventLoop)
        // The handshake's time limit is also that of the task: it is cancelled when the connection ends.
        self.credentialsTask = Task {
            let result: Result<CredentialsAnswer, NATSError>
            do throws(NATSError) {
                result = .success(try await credentials.answer(nonce: nonce))
            } catch {
                result = .failure(error)
            }
            guard !Task.isCancelled else {
                return
            }
            eventLoop.execute {
                switch result {
                case .success(let answer):
                    handler.value.introduce(payload, answer)
                case .failure(let error):
                    handler.value.fail(error)
                }
            }
        }
    }

    private func introduce(_ payload: ConnectPayload, _ answer: CredentialsAnswer) {
        self.credentialsTask = nil
        guard !self.isClosed, self.failure == nil, self.machine.introduced() else {
            return
        }
        var payload = payload
        answer.write(to: &payload)
        self.write(payload.encode() + Array("PING\r\n".utf8))
    }

    private func receivedPong() {
        switch self.machine.receivedPong() {
        case .ready(let info):
            self.info = info
            self.core.handshakeCompleted(self, info: info)
        case .answer:
            self.core.receivedPong(from: self)
        case .fail(let failure):
            self.fail(NATSError(failure.code, "\(self.address.url): \(failure.message)"))
        case .ignore:
            break
        }
    }

    private func receivedError(_ text: String) {
        let parsed = ServerErrorText(text)
        switch self.machine.receivedError() {
        case .fail:
            self.serverError = parsed
            self.fail(parsed.error)
        case .report:
            switch parsed.treatment {
            case .authentication, .reconnect, .reconnectLater, .fatalForServer:
                self.serverError = parsed
            case .report, .permission, .subscriptionLimit:
                break
            }
            self.core.receivedError(parsed, from: self)
        case .ignore:
            break
        }
    }

    func failInClear() {
        let failure = ConnectStateMachine.clearText
        self.fail(NATSError(failure.code, "\(self.address.url): \(failure.message)"))
    }

    private func messageBeforeHandshake() {
        if !self.machine.receivedOther() {
            self.failWithoutInfo()
        }
    }

    private func failWithoutInfo() {
        let failure = ConnectStateMachine.noInfo
        self.fail(NATSError(failure.code, "\(self.address.url): \(failure.message)"))
    }

    private func protocolViolation(_ failure: ServerOperationParser.Failure) {
        if self.machine.isAwaitingInfo {
            self.failWithoutInfo()
        } else {
            self.fail(self.protocolError("\(failure)"))
        }
    }

    private func protocolError(_ text: String) -> NATSError {
        NATSError(.protocolViolation, "the server \(self.address.url) broke the protocol: \(text)")
    }

    /// Sends operations that ``OutboundBuffer`` does not know of.
    func send(_ bytes: [UInt8]) {
        if !bytes.isEmpty, self.failure == nil {
            self.write(bytes)
        }
    }

    private func write(_ bytes: [UInt8]) {
        guard let context = self.context else {
            return
        }
        var buffer = context.channel.allocator.buffer(capacity: bytes.count)
        buffer.writeBytes(bytes)
        context.writeAndFlush(self.wrapOutboundOut(buffer), promise: nil)
    }
}
