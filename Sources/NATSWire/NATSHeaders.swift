/// The headers of a message: an ordered list of name and value pairs (ADR-4).
///
/// Names are case-sensitive and keep their case; a name may occur several times and the order of all fields is kept.
/// Names consist of printable ASCII without `:`, values of anything but CR and LF; a client checks this when the headers
/// are published. Blanks around a value are not sent.
public struct NATSHeaders: Sendable, Hashable {
    /// One header line.
    public struct Field: Sendable, Hashable {
        /// The name as sent, in its own case.
        public var name: String
        /// The value without the blanks in front of it.
        public var value: String

        /// A field with the given name and value.
        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    @usableFromInline var fields: [Field]

    /// No headers.
    @inlinable
    public init() {
        self.fields = []
    }

    /// Headers in the order given.
    public init(_ fields: some Sequence<(String, String)>) {
        self.fields = fields.map { Field(name: $0.0, value: $0.1) }
    }

    /// Adds a field behind all others, also if the name exists already.
    public mutating func append(name: String, value: String) {
        self.fields.append(Field(name: name, value: value))
    }

    /// Replaces every field of this name by one, in the place of the first.
    public mutating func set(name: String, value: String) {
        guard let index = self.fields.firstIndex(where: { $0.name == name }) else {
            self.append(name: name, value: value)
            return
        }
        self.fields[index].value = value
        let tail = self.fields[(index + 1)...].filter { $0.name != name }
        self.fields.replaceSubrange((index + 1)..., with: tail)
    }

    /// Removes every field of this name.
    public mutating func remove(name: String) {
        self.fields.removeAll { $0.name == name }
    }

    /// Whether there are no fields.
    @inlinable
    public var isEmpty: Bool {
        self.fields.isEmpty
    }

    /// The value of the first field of this name.
    public func first(_ name: String) -> String? {
        self.fields.first { $0.name == name }?.value
    }

    /// The values of all fields of this name, in order.
    public func values(_ name: String) -> [String] {
        self.fields.filter { $0.name == name }.map(\.value)
    }

    /// The value of the first field whose name is equal but for ASCII case.
    public func first(ignoringCase name: String) -> String? {
        self.fields.first { equalsIgnoringASCIICase($0.name, name) }?.value
    }

    /// The values of all fields whose names are equal but for ASCII case, in order.
    public func values(ignoringCase name: String) -> [String] {
        self.fields.filter { equalsIgnoringASCIICase($0.name, name) }.map(\.value)
    }

    /// The first value of a name; setting replaces every field of that name, setting nil removes them.
    public subscript(name: String) -> String? {
        get {
            self.first(name)
        }
        set {
            if let newValue {
                self.set(name: name, value: newValue)
            } else {
                self.remove(name: name)
            }
        }
    }
}

extension NATSHeaders: RandomAccessCollection {
    /// The position of the first field.
    public var startIndex: Int {
        self.fields.startIndex
    }

    /// The position behind the last field.
    public var endIndex: Int {
        self.fields.endIndex
    }

    /// The field at a position.
    public subscript(position: Int) -> Field {
        self.fields[position]
    }
}

extension NATSHeaders: ExpressibleByDictionaryLiteral {
    /// Headers in the order written; a name may be repeated.
    public init(dictionaryLiteral elements: (String, String)...) {
        self.init(elements)
    }
}

extension NATSHeaders: CustomStringConvertible {
    /// The fields as `Name: value`, separated by commas.
    public var description: String {
        "[" + self.fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "]"
    }
}
