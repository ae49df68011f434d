import NATSWire
package import NIOCore

/// The header block of a message, read to be printed.
///
/// A status stands in front as the fields `Status` and `Description`, where the form has no other place for it: that is
/// how Go's client shows it.
package struct MessageHeaders {
    private let block: HeaderBlock?

    /// Reads `bytes`; a block that cannot be read has no fields.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self.block = bytes.isEmpty ? nil : HeaderBlock(parsing: bytes)
    }

    package var status: Int? { self.block?.status }

    private var fields: NATSHeaders { self.block?.headers ?? [:] }

    package var isEmpty: Bool { self.block.map { $0.headers.isEmpty && $0.status == nil } ?? true }

    /// Appends `K: V` for each field, with `separator` between two.
    package func appendFields(separator: StaticString, to output: inout ByteBuffer) {
        var isFirst = true
        func append(_ name: String, _ value: String) {
            if !isFirst { output.writeStaticString(separator) }
            isFirst = false
            output.writeString(name)
            output.writeStaticString(": ")
            output.writeString(value)
        }
        if let status = self.status {
            append("Status", String(status))
            if let description = self.block?.statusDescription { append("Description", description) }
        }
        for field in self.fields { append(field.name, field.value) }
    }

    /// Appends `K: V` lines.
    package func appendLines(to output: inout ByteBuffer) {
        guard !self.isEmpty else { return }
        self.appendFields(separator: "\n", to: &output)
        output.writeInteger(UInt8(ascii: "\n"))
    }

    /// Appends `"headers":{"K":["v1","v2"]},"status":503,`; nothing of what is absent.
    func appendJSON(to output: inout ByteBuffer) {
        guard let block = self.block else { return }
        if !block.headers.isEmpty {
            output.writeStaticString("\"headers\":{")
            for (index, (name, values)) in self.valuesByName(block.headers).enumerated() {
                if index > 0 { output.writeInteger(UInt8(ascii: ",")) }
                output.writeJSONString(name)
                output.writeStaticString(":[")
                for (index, value) in values.enumerated() {
                    if index > 0 { output.writeInteger(UInt8(ascii: ",")) }
                    output.writeJSONString(value)
                }
                output.writeInteger(UInt8(ascii: "]"))
            }
            output.writeStaticString("},")
        }
        if let status = block.status {
            output.writeStaticString("\"status\":")
            output.writeDecimal(status)
            output.writeInteger(UInt8(ascii: ","))
        }
    }

    /// Appends the object, or `null`, that Go's client makes of a message's headers.
    func appendGoJSON(to output: inout ByteBuffer) {
        guard !self.isEmpty else {
            output.writeStaticString("null")
            return
        }
        var headers = self.fields
        if let status = self.status {
            headers.set(name: "Status", value: String(status))
            if let description = self.block?.statusDescription { headers.set(name: "Description", value: description) }
        }
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        // Go sorts the keys of a map.
        let sorted = self.valuesByName(headers).sorted { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
        for (index, (name, values)) in sorted.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            JSONText.append(name, to: &bytes)
            bytes.append(contentsOf: ":[".utf8)
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                JSONText.append(value, to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        }
        bytes.append(UInt8(ascii: "}"))
        output.writeBytes(bytes)
    }

    /// Names in the order of their first field.
    ///
    /// By a table, since a block may have a hundred thousand names; compared byte by byte, as keys of JSON are.
    private func valuesByName(_ headers: NATSHeaders) -> [(name: String, values: [String])] {
        var positions: [[UInt8]: Int] = [:]
        var result: [(name: String, values: [String])] = []
        for field in headers {
            let key = Array(field.name.utf8)
            if let position = positions[key] {
                result[position].values.append(field.value)
            } else {
                positions[key] = result.count
                result.append((field.name, [field.value]))
            }
        }
        return result
    }
}
