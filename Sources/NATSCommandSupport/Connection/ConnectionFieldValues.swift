/// The values of those fields that have one.
///
/// Not a dictionary: the first one of a kind costs the start of a program a search among all conformances (decision 0013).
struct ConnectionFieldValues: Sendable {
    private var entries: [(field: ConnectionField, value: String)] = []

    /// The fields that have a value.
    var fields: [ConnectionField] { self.entries.map(\.field) }

    subscript(field: ConnectionField) -> String? {
        get {
            self.entries.first { $0.field == field }?.value
        }
        set {
            self.entries.removeAll { $0.field == field }
            if let newValue { self.entries.append((field, newValue)) }
        }
    }
}
