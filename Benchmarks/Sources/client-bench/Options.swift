/// The command line that all client programs of the benchmarks share.
struct Options {
    enum Executor: String {
        case global
        case loop
    }

    var mode = "publish-async"
    var url = "nats://127.0.0.1:4222"
    var subject = "bench.stream0"
    var size = 16
    var count = 1_000_000
    var inFlight = 1
    var executor = Executor.global
    /// PEM file of who signed the server's certificate.
    var authority: String?

    struct Invalid: Error {
        let argument: String
    }

    init(_ arguments: [String]) throws {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw Invalid(argument: name) }
            switch name {
            case "--mode": self.mode = value
            case "--url": self.url = value
            case "--subject": self.subject = value
            case "--size": self.size = try Self.positive(value)
            case "--count": self.count = try Self.positive(value)
            case "--in-flight": self.inFlight = try Self.positive(value)
            case "--ca": self.authority = value
            case "--executor":
                guard let executor = Executor(rawValue: value) else { throw Invalid(argument: value) }
                self.executor = executor
            default: throw Invalid(argument: name)
            }
        }
    }

    private static func positive(_ text: String) throws -> Int {
        guard let value = Int(text), value > 0 else { throw Invalid(argument: text) }
        return value
    }
}
