import NIOConcurrencyHelpers
import NIOCore

/// The answers that an account owes to requests of others: `_R_.AbCdEf.GhIjKl` stands for a reply subject in another
/// account.
///
/// Each is good for one message, or until the export's time is over.
final class ServiceResponses: Sendable {
    /// Where an answer goes.
    struct Response: Sendable {
        /// The account of the service.
        let exporter: Account
        /// The account of the request.
        let account: Account
        /// Its reply subject there.
        let reply: [UInt8]
        let export: ServiceExport
        /// Until the first answer, if its latency is measured.
        fileprivate(set) var probe: LatencyProbe?
        fileprivate(set) var deadline: NIODeadline
    }

    private struct State {
        var responses: [[UInt8]: Response] = [:]
        /// How many of them go to each account: none may take the place of the others.
        var counts: [ObjectIdentifier: Int] = [:]
        var nextSweep: NIODeadline = .uptimeNanoseconds(0)

        mutating func remove(_ subject: [UInt8]) {
            guard let response = self.responses.removeValue(forKey: subject) else { return }
            let account = ObjectIdentifier(response.account)
            let count = self.counts[account, default: 1] - 1
            self.counts[account] = count > 0 ? count : nil
        }

        mutating func sweep(now: NIODeadline) {
            for (subject, response) in self.responses {
                // One whose time is measured waits for its timer, if it has one.
                let end = response.probe == nil ? response.deadline : response.deadline + .seconds(5)
                if end <= now { self.remove(subject) }
            }
        }
    }

    /// Requests that nobody answers must not fill the memory; per account that makes them.
    static let largestCount = 131_072
    private static let sweepPeriod: TimeAmount = .seconds(1)
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// What all these reply subjects begin with: `_R_.AbCdEf.` and so on.
    let prefix: [UInt8]
    private let state = NIOLockedValueBox(State())

    init() { self.prefix = Array("_R_.".utf8) + Self.randomToken() + [UInt8(ascii: ".")] }

    private static func randomToken() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        // One number for all digits, since each is a system call.
        var number = generator.next()
        let base = UInt64(Self.digits.count)
        return (0..<6).map { _ in
            defer { number /= base }
            return Self.digits[Int(number % base)]
        }
    }

    var count: Int { self.state.withLockedValue { $0.responses.count } }

    /// A request has come in from another account.
    ///
    /// - Returns: the reply subject for its answer; `nil` if too many are waited for.
    func add(
        _ reply: [UInt8],
        in account: Account,
        of export: ServiceExport,
        exporter: Account,
        probe: LatencyProbe?,
        now: NIODeadline
    ) -> [UInt8]? {
        self.state.withLockedValue { state in
            if now >= state.nextSweep, state.responses.count > 1000 {
                state.nextSweep = now + Self.sweepPeriod
                state.sweep(now: now)
            }
            guard state.counts[ObjectIdentifier(account), default: 0] < Self.largestCount else { return nil }
            var subject = self.prefix + Self.randomToken()
            while state.responses[subject] != nil { subject = self.prefix + Self.randomToken() }
            state.responses[subject] = Response(
                exporter: exporter,
                account: account,
                reply: reply,
                export: export,
                probe: probe,
                deadline: now + TimeAmount(export.options.responseThreshold)
            )
            state.counts[ObjectIdentifier(account), default: 0] += 1
            return subject
        }
    }

    /// Where an answer goes; `nil` if none is waited for.
    ///
    /// The only answer of a request is not waited for any more.
    func find(_ subject: [UInt8], now: NIODeadline) -> Response? {
        self.state.withLockedValue { state in
            guard let response = state.responses[subject] else { return nil }
            guard response.deadline > now else {
                // One whose time is measured waits for its timer.
                if response.probe == nil { state.remove(subject) }
                return nil
            }
            if response.export.options.responseType == .single {
                // It is the only one, whatever becomes of it.
                state.remove(subject)
            }
            return response
        }
    }

    /// More answers may follow this one.
    func extend(_ subject: [UInt8], now: NIODeadline) {
        self.state.withLockedValue { state in
            guard let response = state.responses[subject] else { return }
            state.responses[subject]?.deadline = now + TimeAmount(response.export.options.responseThreshold)
        }
    }

    /// An answer is not waited for any more.
    ///
    /// - Returns: what its latency was measured with, if none has come.
    func takeProbe(_ subject: [UInt8]) -> LatencyProbe? {
        self.state.withLockedValue { state in
            defer { state.remove(subject) }
            return state.responses[subject]?.probe
        }
    }

    func removeAll() { self.state.withLockedValue { $0 = State() } }

    func remove(_ subject: [UInt8]) { self.state.withLockedValue { $0.remove(subject) } }
}
