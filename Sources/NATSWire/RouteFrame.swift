/// Spells what a server sends its peers, without a text in between.
///
/// Subjects and names are those of operations that were parsed, so they have no blanks. An empty account leaves its field
/// out, as it is on connections that are dedicated to one.
///
/// `public` for the same reason as ``ClientOperation``.
public enum RouteFrame {
    // MARK: Interest

    /// Appends `RS+ [account] subject [queue weight]` and the line end.
    ///
    /// - Parameters:
    ///   - account: The account's name.
    ///   - subject: What is subscribed to.
    ///   - queue: The queue group; empty for plain interest.
    ///   - weight: How many members the queue group has here, 1 to 999,999,999; without a group it does not matter.
    ///   - isLeafNode: Whether the line is for a leaf node, or the hub of one: `LS+`.
    ///   - output: Receives the line.
    @inlinable
    public static func appendInterest(
        account: some Collection<UInt8>,
        subject: some Collection<UInt8>,
        queue: some Collection<UInt8>,
        weight: Int,
        isLeafNode: Bool = false,
        to output: inout some ByteOutput
    ) {
        self.append(isLeafNode ? "LS+ " : "RS+ ", to: &output)
        self.append(account, subject, to: &output)
        if !queue.isEmpty {
            output.append(0x20)
            output.append(contentsOf: queue)
            output.append(0x20)
            DecimalDigits.append(min(max(1, weight), 999_999_999), to: &output)
        }
        self.append("\r\n", to: &output)
    }

    /// Appends `RS- [account] subject [queue]` and the line end.
    ///
    /// - Parameters:
    ///   - account: The account's name.
    ///   - subject: What was subscribed to.
    ///   - queue: The queue group; empty for plain interest.
    ///   - isLeafNode: Whether the line is for a leaf node, or the hub of one: `LS-`.
    ///   - output: Receives the line.
    @inlinable
    public static func appendNoInterest(
        account: some Collection<UInt8>,
        subject: some Collection<UInt8>,
        queue: some Collection<UInt8>,
        isLeafNode: Bool = false,
        to output: inout some ByteOutput
    ) {
        self.append(isLeafNode ? "LS- " : "RS- ", to: &output)
        self.append(account, subject, to: &output)
        if !queue.isEmpty {
            output.append(0x20)
            output.append(contentsOf: queue)
        }
        self.append("\r\n", to: &output)
    }

    // MARK: Messages

    /// Appends `RMSG [account] subject ` or the same with HMSG, including the blank behind it.
    ///
    /// What follows is ``appendTarget(reply:queues:to:)`` and ``appendSizes(headerSize:size:to:)``, or for a message
    /// that goes to no queue group the tail of the frame that it came in. The two forms differ in their first byte only.
    ///
    /// - Parameters:
    ///   - account: The account's name.
    ///   - subject: The subject.
    ///   - hasHeaders: Whether the message has a header block and the peer understands it.
    ///   - isLeafNode: Whether the message is for a leaf node, or the hub of one: `LMSG`.
    ///   - output: Receives the bytes.
    @inlinable
    public static func appendMessage(
        account: some Collection<UInt8>,
        subject: some Collection<UInt8>,
        hasHeaders: Bool,
        isLeafNode: Bool = false,
        to output: inout some ByteOutput
    ) {
        output.append(hasHeaders ? UInt8(ascii: "H") : isLeafNode ? UInt8(ascii: "L") : UInt8(ascii: "R"))
        self.append("MSG ", to: &output)
        self.append(account, subject, to: &output)
        output.append(0x20)
    }

    /// Appends what stands between subject and sizes, with a blank behind it: nothing, `reply `, `| queue… ` or
    /// `+ reply queue… `.
    ///
    /// - Parameters:
    ///   - reply: The reply subject; empty for none.
    ///   - queues: The queue groups of which the peer shall choose a member each.
    ///   - output: Receives the bytes.
    @inlinable
    public static func appendTarget<Queues: Sequence>(
        reply: some Collection<UInt8>,
        queues: Queues,
        to output: inout some ByteOutput
    ) where Queues.Element: Collection<UInt8> {
        var isFirst = true
        for queue in queues {
            if isFirst {
                isFirst = false
                output.append(reply.isEmpty ? UInt8(ascii: "|") : UInt8(ascii: "+"))
                output.append(0x20)
                self.appendReply(reply, to: &output)
            }
            output.append(contentsOf: queue)
            output.append(0x20)
        }
        if isFirst { self.appendReply(reply, to: &output) }
    }

    /// Appends `[header size ]size` and the line end.
    ///
    /// - Parameters:
    ///   - headerSize: Size of the header block in bytes; nil for RMSG.
    ///   - size: Size of header block and payload in bytes.
    ///   - output: Receives the bytes.
    @inlinable
    public static func appendSizes(headerSize: Int?, size: Int, to output: inout some ByteOutput) {
        if let headerSize {
            DecimalDigits.append(headerSize, to: &output)
            output.append(0x20)
        }
        DecimalDigits.append(size, to: &output)
        self.append("\r\n", to: &output)
    }

    // MARK: Parts

    @inlinable
    static func appendReply(_ reply: some Collection<UInt8>, to output: inout some ByteOutput) {
        guard !reply.isEmpty else { return }
        output.append(contentsOf: reply)
        output.append(0x20)
    }

    @inlinable
    static func append(
        _ account: some Collection<UInt8>,
        _ subject: some Collection<UInt8>,
        to output: inout some ByteOutput
    ) {
        if !account.isEmpty {
            output.append(contentsOf: account)
            output.append(0x20)
        }
        output.append(contentsOf: subject)
    }

    @inlinable
    static func append(_ text: StaticString, to output: inout some ByteOutput) {
        output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }
}
