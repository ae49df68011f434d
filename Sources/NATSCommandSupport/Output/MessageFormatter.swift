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
        /// `--format`
        case template(MessageTemplate)
    }

    package var format: Format

    package init(format: Format) {
        self.format = format
    }

    // MARK: Hot path

    /// Appends one message to `output`.
    ///
    /// - Parameters:
    ///   - payload: Printed as it is.
    ///   - stamp: The time and a blank, or empty.
    ///   - context: Evaluated only if more than the payload is printed.
    ///   - output: Where the bytes go.
    @inline(__always)
    package func append(
        payload: UnsafeRawBufferPointer,
        stamp: @autoclosure () -> String = "",
        context: @autoclosure () -> MessageTemplate.Context,
        to output: inout ByteBuffer
    ) {
        switch self.format {
        case .payload(let format):
            output.writeBytes(payload)
            switch format {
            case .lines:
                if payload.last != UInt8(ascii: "\n") {
                    output.writeInteger(UInt8(ascii: "\n"))
                }
            case .verbatim:
                break
            case .nulTerminated:
                output.writeInteger(UInt8(0))
            }
        case .received, .receivedInGroup, .reply, .template:
            self.appendText(payload: payload, stamp: stamp(), context: context(), to: &output)
        }
    }

    private func appendText(
        payload: UnsafeRawBufferPointer,
        stamp: String,
        context: MessageTemplate.Context,
        to output: inout ByteBuffer
    ) {
        output.writeString(stamp)
        let subject = context.subject
        switch self.format {
        case .template(let template):
            return template.append(payload: payload, context: context, to: &output)
        case .received, .payload:
            output.writeString("[#\(context.number)] Received on [\(subject)]: '")
        case .receivedInGroup(let group, let processID):
            output.writeString("[#\(context.number)] Received on [\(subject)] Queue[\(group)] Pid[\(processID)]: '")
        case .reply:
            output.writeString("Received  [\(subject)] : '")
        }
        output.writeBytes(payload)
        output.writeStaticString("'\n")
    }
}
