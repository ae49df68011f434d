import NATSWebSocket
import NATSWire
import NIOCore

/// Stands between socket and ``ClientConnection``: protocol bytes inside, frames outside.
///
/// Inbound, the payloads of all frames of a read become one buffer, so that the connection sees what a TCP client's would
/// see. Outbound, each write becomes a frame. What the frames say beside that (pings, the end) goes to the connection,
/// which also counts what is written for it.
///
/// Only touched on the connection's event loop.
final class WebSocketHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Limits of compressed messages, which have to be kept until they are whole (nats-server websocket.go
    /// wsMaxMessageSize).
    private enum Limits {
        static let multiple = 8
        static let compressed = 64 << 20
        /// What a message costs as if it were that much larger.
        static let messageCost = 1024
        static let defaultPayload = 1 << 20
        /// So much is expanded before others have their turn; about what a read brings without compression.
        static let expandedAtOnce = 256 << 10
    }

    let service: WebSocketService
    let agreement: WebSocketHandshake.Agreement
    /// Its owner, through the pipeline.
    weak var connection: ClientConnection?
    private let coder: WebSocketCoder
    private var parser: WebSocketFrameParser
    private var context: ChannelHandlerContext?
    /// A compressed message whose end has not come.
    private var compressed = ByteBuffer()
    private var expanded = 0
    /// What has been read and is looked at when the connection wants more: a few bytes may expand to very many.
    private var rest: ByteBuffer?
    private var continuesSoon = false
    /// The client ended its side behind ``rest``.
    private var endIsHeld = false
    /// Pongs to write at the end of this read.
    private var pongs = ByteBuffer()
    /// What the peer's close frame is answered with.
    private var closing: WebSocketClosing?
    private var inputEnded = false
    private var closeSent = false

    init(service: WebSocketService, loop: ServerLoop, _ agreement: WebSocketHandshake.Agreement) {
        self.service = service
        self.agreement = agreement
        self.coder = loop.webSocketCoder
        self.parser = WebSocketFrameParser(
            isMasked: !agreement.isUnmasked,
            isCompressing: agreement.isCompressing
        )
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    // MARK: Reading

    private enum Stop {
        case message(ByteBuffer)
        case closing(WebSocketClosing)
        case failure(String)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !self.inputEnded else { return }
        var buffer = self.unwrapInboundIn(data)
        if self.rest?.writeBuffer(&buffer) != nil { return }
        self.handle(buffer, context)
    }

    private func handle(_ bytes: consuming ByteBuffer, _ context: ChannelHandlerContext) {
        var buffer = bytes
        var position = 0
        self.expanded = 0
        // Payload that has been moved together, for the connection.
        var start = 0
        var end = 0
        while !self.inputEnded {
            let stop = buffer.withUnsafeMutableReadableBytes { self.collect($0, &position, &start, &end) }
            if end > start { self.hand(buffer.getSlice(at: buffer.readerIndex + start, length: end - start), context) }
            (start, end) = (position, position)
            guard let stop else { return }
            guard let connection = self.connection, connection.phase == .open else { return }
            self.carryOut(stop, context)
            if self.expanded >= Limits.expandedAtOnce || connection.heldInput != nil {
                let count = buffer.readableBytes - position
                if count > 0 { self.rest = buffer.getSlice(at: buffer.readerIndex + position, length: count) }
                return
            }
        }
    }

    /// The connection wants more: what is there comes before what the socket has.
    func read(context: ChannelHandlerContext) {
        guard self.rest != nil else { return context.read() }
        guard !self.continuesSoon else { return }
        self.continuesSoon = true
        context.eventLoop.assumeIsolated().execute { self.handleRest() }
    }

    private func handleRest() {
        self.continuesSoon = false
        guard let context = self.context, let rest = self.rest.take() else { return }
        if !self.inputEnded { self.handle(rest, context) }
        if self.rest == nil, self.endIsHeld {
            self.endIsHeld = false
            self.writePongs()
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        }
        self.channelReadComplete(context: context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if self.rest != nil, let event = event as? ChannelEvent, event == .inputClosed {
            self.endIsHeld = true
        } else {
            context.fireUserInboundEventTriggered(event)
        }
    }

    /// Moves the payloads together, up to something that is not plain data.
    private func collect(
        _ bytes: UnsafeMutableRawBufferPointer,
        _ position: inout Int,
        _ start: inout Int,
        _ end: inout Int
    ) -> Stop? {
        while let event = self.parser.next(bytes, &position) {
            switch event {
            case .data(let range, isCompressed: false, isLast: _):
                if start == end { (start, end) = (range.lowerBound, range.lowerBound) }
                // Between the payloads there are only headers, which nobody needs any more.
                if range.lowerBound > end, !range.isEmpty, let base = bytes.baseAddress {
                    (base + end).copyMemory(from: base + range.lowerBound, byteCount: range.count)
                }
                end += range.count
            case .data(let range, isCompressed: true, isLast: let isLast):
                if let failure = self.keep(UnsafeRawBufferPointer(rebasing: bytes[range])) { return failure }
                guard isLast else { continue }
                let message = self.compressed
                self.compressed = ByteBuffer()
                return .message(message)
            case .ping(let payload):
                self.pongs.writeImmutableBuffer(WebSocketFrame.control(WebSocketFrame.pong, payload))
            case .pong:
                break
            case .close(let payload):
                switch WebSocketClosing.answer(to: payload) {
                case .success(let closing): return .closing(closing)
                case .failure(let failure): return .failure(failure.text)
                }
            case .failure(let text):
                return .failure(text)
            }
        }
        return nil
    }

    private func hand(_ bytes: ByteBuffer?, _ context: ChannelHandlerContext) {
        guard let bytes else { return }
        context.fireChannelRead(self.wrapInboundOut(bytes))
    }

    private func carryOut(_ stop: Stop, _ context: ChannelHandlerContext) {
        switch stop {
        case .message(let message):
            self.expand(message, context)
        case .closing(let closing):
            self.inputEnded = true
            self.closing = closing
            self.writePongs()
            // From here on as if the client had ended its side.
            context.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
        case .failure(let text):
            self.fail(text)
        }
    }

    private func fail(_ text: String) {
        self.inputEnded = true
        self.compressed = ByteBuffer()
        self.connection?.webSocketFailed(text)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        self.writePongs()
        context.fireChannelReadComplete()
    }

    private func writePongs() {
        guard self.pongs.readableBytes > 0 else { return }
        let pongs = self.pongs
        self.pongs = ByteBuffer()
        self.connection?.writeControl(pongs)
    }

    // MARK: Compressed messages

    private var payloadLimit: Int {
        let limit = self.connection?.parser.maxPayload ?? 0
        return limit > 0 ? limit : Limits.defaultPayload
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) -> Stop? {
        let (product, isLarge) = self.payloadLimit.multipliedReportingOverflow(by: Limits.multiple)
        let limit = isLarge ? Limits.compressed : min(product, Limits.compressed)
        guard self.compressed.readableBytes + bytes.count + WebSocketCoder.tailCount <= limit else {
            return .failure("maximum payload exceeded")
        }
        self.compressed.writeBytes(bytes)
        return nil
    }

    private func expand(_ message: ByteBuffer, _ context: ChannelHandlerContext) {
        // One that is tiny, or expands to nothing, is work too.
        self.expanded += message.readableBytes + Limits.messageCost
        let result = self.coder.expand(message, limit: self.payloadLimit) { piece in
            self.expanded += piece.readableBytes
            self.hand(piece, context)
            return self.connection?.phase == .open
        }
        switch result {
        case .complete: break
        case .stopped: self.inputEnded = true
        case .tooLong: self.fail("maximum payload exceeded")
        case .corrupt: self.fail("flate: corrupt input")
        }
    }

    // MARK: Writing

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        let buffer = self.unwrapOutboundIn(data)
        guard buffer.readableBytes > 0 else {
            context.write(data, promise: promise)
            return
        }
        // Of what other loops had for this client some may come late: nothing follows a close frame (RFC 6455 5.5.1).
        guard !self.closeSent else {
            promise?.fail(ChannelError.outputClosed)
            return
        }
        if self.agreement.isCompressing, buffer.readableBytes > WebSocketFrame.compressionThreshold,
            let compressed = self.coder.compress(buffer)
        {
            self.writeCompressed(compressed, promise, context)
            return
        }
        guard self.agreement.isBrowser else {
            self.writeFrame(buffer, promise: promise, context)
            return
        }
        var rest = buffer
        while rest.readableBytes > WebSocketFrame.browserSize,
            let part = rest.readSlice(length: WebSocketFrame.browserSize)
        {
            self.writeFrame(part, promise: nil, context)
        }
        self.writeFrame(rest, promise: promise, context)
    }

    private func writeCompressed(
        _ message: ByteBuffer,
        _ promise: EventLoopPromise<Void>?,
        _ context: ChannelHandlerContext
    ) {
        let isWhole = !self.agreement.isBrowser || self.agreement.keepsCompressedWhole
        var rest = message
        var opcode = WebSocketFrame.binary
        while !isWhole, rest.readableBytes > WebSocketFrame.browserSize,
            let part = rest.readSlice(length: WebSocketFrame.browserSize)
        {
            self.writeFrame(part, opcode, isFinal: false, isCompressed: opcode != 0, promise: nil, context)
            opcode = 0
        }
        self.writeFrame(rest, opcode, isCompressed: opcode != 0, promise: promise, context)
    }

    private func writeFrame(
        _ payload: ByteBuffer,
        _ opcode: UInt8 = WebSocketFrame.binary,
        isFinal: Bool = true,
        isCompressed: Bool = false,
        promise: EventLoopPromise<Void>?,
        _ context: ChannelHandlerContext
    ) {
        var header = ByteBuffer()
        WebSocketFrame.writeHeader(
            to: &header,
            opcode: opcode,
            count: payload.readableBytes,
            isFinal: isFinal,
            isCompressed: isCompressed
        )
        context.write(self.wrapOutboundOut(header), promise: nil)
        context.write(self.wrapOutboundOut(payload), promise: promise)
    }

    /// Writes bytes that are frames already.
    func writeFrames(_ frames: ByteBuffer, promise: EventLoopPromise<Void>?) {
        guard let context = self.context, !self.closeSent else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        context.writeAndFlush(self.wrapOutboundOut(frames), promise: promise)
    }

    /// Says that the connection ends, and why; only once.
    func sendClose(_ reason: ClosedReason) {
        guard !self.closeSent else { return }
        let closing = self.closing ?? WebSocketClosing(reason)
        self.writeFrames(WebSocketFrame.control(WebSocketFrame.close, closing.payload), promise: nil)
        self.closeSent = true
    }
}
