import NATSWebSocket
import NIOCore

/// Makes a WebSocket connection out of a channel: protocol bytes inside, frames outside.
///
/// Stands in front of the ``NATSChannelHandler``, in the pipelines of WebSocket connections only. Payloads are handed on as
/// they arrive, as slices of what was read; only compressed messages, whose size is limited, are kept until they are whole.
/// What is wrong is told inwards as an error.
final class WebSocketClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    struct Limits {
        /// Bytes of a compressed message (nats.go wsMaxMsgPayloadLimit).
        var compressed = 64 << 20
        /// Bytes that it expands to.
        ///
        /// It may hold all that waited for the client, of which an official server keeps 64 MiB unless told otherwise.
        var expanded = 256 << 20
        /// Servers refuse compressed messages beyond `max_payload`, so that much, or less, is sent in one.
        var written = 64 << 10
        /// Below this, nothing is compressed instead: small pieces cost more than they save, and a `max_payload` of one byte
        /// would make a frame of every byte.
        var leastWritten = 4 << 10
    }

    private enum State {
        /// Until the channel is active, and secured if it is to be.
        case waiting
        /// Until the headers are there.
        case preparing
        case upgrading
        case open
        case closed
    }

    private let address: ServerAddress
    private let isSecure: Bool
    private let options: NATSClientConfiguration.WebSocket
    private let request: WebSocketRequest
    private let limits: Limits
    private var state = State.waiting
    private var context: ChannelHandlerContext?
    private var headersTask: Task<Void, Never>?
    private var reader = HTTPHeadReader()
    private var answer = ByteBuffer()
    private var parser = WebSocketFrameParser(isMasked: false, isCompressing: false, refusesMasks: true)
    /// Set once it is agreed that messages may be compressed.
    private var coder: WebSocketCoder?
    /// A compressed message whose end has not come.
    private var compressed = ByteBuffer()
    /// The server's last PING that has not been answered; older ones need no answer of their own (RFC 6455, 5.5.3).
    private var ping: [UInt8]?
    /// What the server takes in one message; as its INFO says.
    var maxPayload = 0

    init(
        to address: ServerAddress,
        isSecure: Bool,
        options: NATSClientConfiguration.WebSocket,
        limits: Limits = Limits()
    ) {
        self.limits = limits
        self.address = address
        self.isSecure = isSecure
        self.options = options
        self.request = WebSocketRequest(
            address: address,
            path: options.path,
            key: WebSocketKey.make(),
            offersCompression: options.compression
        )
    }

    // MARK: Handshake

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        // The channel of a dialer is active already.
        if context.channel.isActive, !self.isSecure {
            self.prepare(context)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.end()
        self.context = nil
    }

    func channelActive(context: ChannelHandlerContext) {
        if !self.isSecure {
            self.prepare(context)
        }
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if self.isSecure, event is ServerIdentityHandler.IsSecured {
            self.prepare(context)
        }
        context.fireUserInboundEventTriggered(event)
    }

    private func prepare(_ context: ChannelHandlerContext) {
        guard case .waiting = self.state else {
            return
        }
        guard let makeHeaders = self.options.makeHeaders else {
            return self.upgrade(self.options.headers, context)
        }
        self.state = .preparing
        let eventLoop = context.eventLoop
        let bound = NIOLoopBound(Held(self), eventLoop: eventLoop)
        // The time of the handshake is also the task's: it is cancelled when the connection ends, and should it go on all the
        // same, it keeps nothing.
        self.headersTask = Task {
            let result: Result<[NATSClientConfiguration.WebSocket.Header], any Error>
            do {
                result = .success(try await makeHeaders())
            } catch {
                result = .failure(error)
            }
            guard !Task.isCancelled else {
                return
            }
            eventLoop.execute {
                bound.value.handler?.headersAreMade(result)
            }
        }
    }

    private final class Held {
        weak var handler: WebSocketClientHandler?

        init(_ handler: WebSocketClientHandler) {
            self.handler = handler
        }
    }

    private func headersAreMade(_ result: Result<[NATSClientConfiguration.WebSocket.Header], any Error>) {
        self.headersTask = nil
        guard case .preparing = self.state, let context = self.context else {
            return
        }
        switch result {
        case .success(let headers):
            if let problem = WebSocketRequest.problem(with: headers) {
                return self.fail(.webSocketFailed, problem, context)
            }
            self.upgrade(headers, context)
        case .failure(let error):
            self.fail(.webSocketFailed, "the headers were not made", cause: error, context)
        }
    }

    private func upgrade(_ headers: [NATSClientConfiguration.WebSocket.Header], _ context: ChannelHandlerContext) {
        self.state = .upgrading
        let bytes = self.request.bytes(headers)
        context.writeAndFlush(self.wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private func readAnswer(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        self.answer.writeImmutableBuffer(bytes)
        switch self.reader.next(&self.answer) {
        case .incomplete:
            return
        case .tooLarge:
            return self.fail(.webSocketFailed, "its answer is too long", context)
        case .malformed:
            return self.fail(.webSocketFailed, "its answer is not HTTP", context)
        case .head(let head):
            do throws(WebSocketRequest.Refusal) {
                if try self.request.accept(head) {
                    self.coder = WebSocketCoder()
                    self.parser = WebSocketFrameParser(isMasked: false, isCompressing: true, refusesMasks: true)
                }
            } catch {
                return self.fail(.webSocketFailed, error.text, context)
            }
        }
        self.state = .open
        let rest = self.answer
        self.answer = ByteBuffer()
        if rest.readableBytes > 0 {
            self.readFrames(rest, context)
        }
    }

    // MARK: Reading

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = self.unwrapInboundIn(data)
        switch self.state {
        case .open:
            self.readFrames(bytes, context)
        case .upgrading:
            self.readAnswer(bytes, context)
        case .waiting, .preparing:
            self.fail(.protocolViolation, "it spoke before it was asked", context)
        case .closed:
            break
        }
    }

    private func readFrames(_ bytes: ByteBuffer, _ context: ChannelHandlerContext) {
        var position = 0
        while case .open = self.state {
            let event = bytes.withUnsafeReadableBytes { raw in
                // The parser writes only where it takes masks off, and a server's frames have none.
                self.parser.next(UnsafeMutableRawBufferPointer(mutating: raw), &position)
            }
            switch event {
            case .data(let range, isCompressed: false, isLast: _):
                if let slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count),
                    !range.isEmpty
                {
                    context.fireChannelRead(self.wrapInboundOut(slice))
                }
            case .data(let range, isCompressed: true, isLast: let isLast):
                self.keep(bytes, range, isLast: isLast, context)
            case .ping(let payload):
                self.ping = payload
            case .pong:
                break
            case .close(let payload):
                self.answerClose(payload, context)
            case .failure(let text):
                self.fail(.protocolViolation, text, context)
            case nil:
                return
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.answerPing(context)
        context.fireChannelReadComplete()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        self.answerPing(context)
        context.fireChannelWritabilityChanged()
    }

    /// Only while the server takes what it is sent: it may ping and read nothing.
    private func answerPing(_ context: ChannelHandlerContext) {
        guard let payload = self.ping, case .open = self.state, context.channel.isWritable else {
            return
        }
        self.ping = nil
        self.writeControl(WebSocketFrame.pong, payload, context)
    }

    private func answerClose(_ payload: [UInt8], _ context: ChannelHandlerContext) {
        switch WebSocketClosing.answer(to: payload) {
        case .success(let closing):
            self.writeControl(WebSocketFrame.close, closing.payload, context)
            self.end()
            // Whoever stands behind finds out as by the end of any other connection.
            context.close(promise: nil)
        case .failure(let failure):
            self.fail(.protocolViolation, failure.text, context)
        }
    }

    // MARK: Compressed messages

    private func keep(_ bytes: ByteBuffer, _ range: Range<Int>, isLast: Bool, _ context: ChannelHandlerContext) {
        guard self.compressed.readableBytes + range.count <= self.limits.compressed else {
            return self.fail(.protocolViolation, "a compressed message is too long", context)
        }
        if var slice = bytes.getSlice(at: bytes.readerIndex + range.lowerBound, length: range.count) {
            self.compressed.writeBuffer(&slice)
        }
        guard isLast else {
            return
        }
        let message = self.compressed
        self.compressed = ByteBuffer()
        let result = self.coder?.expand(message, limit: self.limits.expanded) { piece in
            context.fireChannelRead(self.wrapInboundOut(piece))
            // Whoever reads it may have closed the connection.
            if case .open = self.state { return true }
            return false
        }
        switch result {
        case .complete, .stopped:
            break
        case .tooLong:
            self.fail(.protocolViolation, "a compressed message expands to too much", context)
        case .corrupt, nil:
            self.fail(.protocolViolation, "a compressed message is damaged", context)
        }
    }

    // MARK: The end

    func channelInactive(context: ChannelHandlerContext) {
        if case .upgrading = self.state, !self.isSecure {
            self.fail(.webSocketFailed, "it closed the connection instead of an answer", context)
        }
        self.end()
        context.fireChannelInactive()
    }

    private func end() {
        self.state = .closed
        self.headersTask?.cancel()
        self.headersTask = nil
        self.answer = ByteBuffer()
        self.compressed = ByteBuffer()
        self.coder = nil
        self.ping = nil
    }

    private func fail(
        _ code: NATSError.Code,
        _ text: String,
        cause: (any Error)? = nil,
        _ context: ChannelHandlerContext
    ) {
        if case .open = self.state {
            self.writeControl(WebSocketFrame.close, WebSocketClosing(status: 1002, text: "").payload, context)
        }
        self.end()
        let error = NATSError(
            code,
            "WebSocket with the server \(self.address.url) failed: \(text)",
            cause: cause
        )
        context.fireErrorCaught(error)
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        if case .open = self.state {
            // nats.go wsClose.
            self.writeControl(WebSocketFrame.close, WebSocketClosing(status: 1000, text: "").payload, context)
            self.end()
        }
        context.close(mode: mode, promise: promise)
    }

    // MARK: Writing

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .open = self.state else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        var bytes = self.unwrapOutboundIn(data)
        guard bytes.readableBytes > 0 else {
            return context.write(data, promise: promise)
        }
        // nats-server websocket.go wsReadLoop: only compressed messages are limited.
        guard let coder = self.coder, self.maxPayload <= 0 || self.maxPayload >= self.limits.leastWritten else {
            return self.write(frame: WebSocketFrame.masked(bytes, key: WebSocketKey.makeMask()), promise, context)
        }
        // Where one message ends and the next begins means nothing to NATS.
        let size = self.maxPayload > 0 ? min(self.maxPayload, self.limits.written) : self.limits.written
        while bytes.readableBytes > size, let part = bytes.readSlice(length: size) {
            self.write(frame: self.frame(part, coder), nil, context)
        }
        self.write(frame: self.frame(bytes, coder), promise, context)
    }

    private func frame(_ bytes: ByteBuffer, _ coder: WebSocketCoder) -> ByteBuffer {
        guard bytes.readableBytes > WebSocketFrame.compressionThreshold, let smaller = coder.compress(bytes) else {
            return WebSocketFrame.masked(bytes, key: WebSocketKey.makeMask())
        }
        return WebSocketFrame.masked(smaller, isCompressed: true, key: WebSocketKey.makeMask())
    }

    private func write(frame: ByteBuffer, _ promise: EventLoopPromise<Void>?, _ context: ChannelHandlerContext) {
        context.write(self.wrapOutboundOut(frame), promise: promise)
    }

    private func writeControl(_ opcode: UInt8, _ payload: [UInt8], _ context: ChannelHandlerContext) {
        let frame = WebSocketFrame.masked(ByteBuffer(bytes: payload), opcode: opcode, key: WebSocketKey.makeMask())
        context.writeAndFlush(self.wrapOutboundOut(frame), promise: nil)
    }
}
