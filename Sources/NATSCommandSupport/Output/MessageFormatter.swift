package import NIOCore

/// Turns received messages into bytes.
///
/// Pure: number, time and process id are given.
package struct MessageFormatter: Sendable {
    /// How payloads are told apart when nothing else is printed.
    package enum PayloadFormat: Sendable, Equatable {
        /// A line end is added where it is missing; an empty payload is an empty line.
        case lines
        /// Nothing is added.
        case verbatim
        /// A NUL is added.
        case nulTerminated
    }

    package enum Format: Sendable, Equatable {
        case payload(PayloadFormat)
        /// `[#1] Received on [a.b]: 'hi'`
        case received
        /// `[#1] Received on [a.b] Queue[g] Pid[7]: 'hi'`
        case receivedInGroup(String, processID: Int32)
        /// `Received  [_INBOX.x] : 'hi'`
        case reply
    }

    package var format: Format

    package init(format: Format) {
        self.format = format
    }

    // MARK: Hot path

    /// Appends one message to `output`.
    ///
    /// - Parameters:
    ///   - subject: Evaluated only if it is printed.
    ///   - payload: Printed as it is.
    ///   - number: Counted from 1.
    ///   - stamp: The time and a blank, or empty.
    ///   - output: Where the bytes go.
    @inline(__always)
    package func append(
        subject: @autoclosure () -> String,
        payload: ByteBuffer,
        number: Int,
        stamp: @autoclosure () -> String = "",
        to output: inout ByteBuffer
    ) {
        switch self.format {
        case .payload(let format):
            output.writeImmutableBuffer(payload)
            switch format {
            case .lines:
                let last = payload.getInteger(at: payload.writerIndex - 1, as: UInt8.self)
                if payload.readableBytes == 0 || last != UInt8(ascii: "\n") {
                    output.writeInteger(UInt8(ascii: "\n"))
                }
            case .verbatim:
                break
            case .nulTerminated:
                output.writeInteger(UInt8(0))
            }
        case .received, .receivedInGroup, .reply:
            self.appendText(subject: subject(), payload: payload, number: number, stamp: stamp(), to: &output)
        }
    }

    private func appendText(
        subject: String,
        payload: ByteBuffer,
        number: Int,
        stamp: String,
        to output: inout ByteBuffer
    ) {
        output.writeString(stamp)
        switch self.format {
        case .received, .payload:
            output.writeString("[#\(number)] Received on [\(subject)]: '")
        case .receivedInGroup(let group, let processID):
            output.writeString("[#\(number)] Received on [\(subject)] Queue[\(group)] Pid[\(processID)]: '")
        case .reply:
            output.writeString("Received  [\(subject)] : '")
        }
        output.writeImmutableBuffer(payload)
        output.writeStaticString("'\n")
    }
}
