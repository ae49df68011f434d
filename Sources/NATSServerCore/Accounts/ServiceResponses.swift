import NIOConcurrencyHelpers
import NIOCore

/// The answers that an account owes to requests of others: `_R_.AbCdEf.GhIjKl` stands for a reply subject in another
/// account.
///
/// Each is good for one message, or until the export's time is over, or until nobody waits for it any more. Finding,
/// adding and removing one costs the same however many there are:
///
///     places   { number of "GhIjKl" → slot }
///     slots    [ response | … ]              linked by age, and with those that the same subscriber waits for
///     ages     one list for each response time, the oldest first
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
        /// Whether the import tells more of the client than its account.
        let share: Bool
        /// Until the answer, if its latency is measured.
        let probe: LatencyProbe?

        /// Memory that hangs on it, in bytes.
        fileprivate var cost: Int { self.reply.count + (self.probe?.size ?? 0) }
    }

    fileprivate struct Slot {
        var response: Response?
        var number: UInt64 = 0
        /// What follows the number in the subject.
        var suffix: [UInt8] = []
        var deadline: NIODeadline = .uptimeNanoseconds(0)
        /// Which of the ``State/ages`` it is in, and its neighbours there.
        var age = 0
        var older: Int32 = -1
        var newer: Int32 = -1
        /// Tells who waits for which reply subject, and its neighbours among those.
        var waiter: UInt64 = 0
        var before: Int32 = -1
        var after: Int32 = -1
    }

    /// Those with the same response time: they end in the order in which they have begun.
    fileprivate struct Age {
        let time: Duration
        var oldest: Int32 = -1
        var newest: Int32 = -1
    }

    fileprivate struct State {
        var isClosed = false
        var places: [UInt64: Int32] = [:]
        var slots: ContiguousArray<Slot> = []
        var free: ContiguousArray<Int32> = []
        var ages: ContiguousArray<Age> = []
        var waiters: [UInt64: Int32] = [:]
        var drawn: UInt64 = 0
    }

    /// Requests that nobody answers must not fill the memory: so many may one account have open, with reply subjects of
    /// so many bytes together.
    static let largestCount = 131_072
    static let largestSize = 32 << 20
    /// A timer that is later than this will not come.
    fileprivate static let timerDelay = TimeAmount.seconds(10)
    /// So many can be looked through for each subscription that ends.
    fileprivate static let smallCount = 128
    private static let digits = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let digitCount = 6
    /// Bytes of `_R_.AbCdEf.GhIjKl`.
    fileprivate static let plainLength = 17
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 0xff, count: 256)
        for (value, digit) in ServiceResponses.digits.enumerated() { values[Int(digit)] = UInt8(value) }
        return values
    }()
    /// How many numbers there are with so many digits.
    private static let numbers: UInt64 = 56_800_235_584

    /// What all these reply subjects begin with: `_R_.AbCdEf.` and so on.
    let prefix: [UInt8]
    /// Makes numbers that nobody can foresee out of a counter; a system call for each would cost more than all the rest.
    private let secret: (UInt64, UInt64)
    private let state = NIOLockedValueBox(State())

    init() {
        var generator = SystemRandomNumberGenerator()
        var prefix = Array("_R_.".utf8)
        Self.append(generator.next() % Self.numbers, to: &prefix)
        prefix.append(UInt8(ascii: "."))
        self.prefix = prefix
        self.secret = (generator.next(), generator.next())
    }

    private static func append(_ number: UInt64, to subject: inout [UInt8]) {
        var number = number
        for _ in 0..<Self.digitCount {
            subject.append(Self.digits[Int(truncatingIfNeeded: number % 62)])
            number /= 62
        }
    }

    private func subject(_ number: UInt64, _ suffix: [UInt8]) -> [UInt8] {
        var subject: [UInt8] = []
        subject.reserveCapacity(self.prefix.count + Self.digitCount + suffix.count)
        subject += self.prefix
        Self.append(number, to: &subject)
        subject += suffix
        return subject
    }

    /// The number that a subject stands for; `nil` if it is none of these.
    private func number(_ subject: [UInt8]) -> UInt64? {
        let end = self.prefix.count + Self.digitCount
        guard subject.count >= end, subject.starts(with: self.prefix) else { return nil }
        var number: UInt64 = 0
        for digit in subject[self.prefix.count..<end].reversed() {
            let value = Self.values[Int(digit)]
            guard value < 62 else { return nil }
            number = number &* 62 &+ UInt64(value)
        }
        return number
    }

    var count: Int { self.state.withLockedValue { $0.places.count } }

    /// A request has come in from another account.
    ///
    /// `trackedSuffix` follows in the subject of one whose latency is measured.
    ///
    /// - Returns: the reply subject for its answer, `nil` if too many are waited for; and what the latency of requests was
    ///   measured with whose time has been found to be over.
    func add(
        _ reply: [UInt8],
        in account: Account,
        of export: ServiceExport,
        exporter: Account,
        share: Bool = false,
        probe: LatencyProbe?,
        trackedSuffix: [UInt8] = [],
        now: NIODeadline
    ) -> (subject: [UInt8]?, expired: [LatencyProbe]) {
        let response = Response(
            exporter: exporter,
            account: account,
            reply: reply,
            export: export,
            share: share,
            probe: probe
        )
        let waiter = Self.waiter(reply, in: account)
        return self.state.withLockedValue { state in
            let expired = state.expire(now: now)
            guard !state.isClosed, account.openRequest(response.cost) else { return (nil, expired) }
            var number = self.draw(&state)
            while state.places[number] != nil { number = self.draw(&state) }
            let suffix = probe == nil ? [] : trackedSuffix
            state.add(response, number, suffix, waiter, now: now)
            return (self.subject(number, suffix), expired)
        }
    }

    private func draw(_ state: inout State) -> UInt64 {
        state.drawn &+= 1
        var hasher = Hasher()
        hasher.combine(self.secret.0)
        hasher.combine(state.drawn)
        hasher.combine(self.secret.1)
        return UInt64(truncatingIfNeeded: hasher.finalize()) % Self.numbers
    }

    private static func waiter(_ reply: [UInt8], in account: Account) -> UInt64 {
        let hash = reply.withUnsafeBufferPointer { bytes in
            bytes.baseAddress.map { account.index.hash($0, bytes.count) } ?? 0
        }
        return hash ^ UInt64(truncatingIfNeeded: UInt(bitPattern: ObjectIdentifier(account)))
    }

    /// Where an answer goes; `nil` if none is waited for.
    ///
    /// The only answer of a request is not waited for any more, whatever becomes of it.
    func find(_ subject: [UInt8], now: NIODeadline) -> Response? {
        guard let number = self.number(subject) else { return nil }
        return self.state.withLockedValue { state in
            guard let slot = state.place(number, of: subject), let response = state.slots[Int(slot)].response else {
                return nil
            }
            guard state.slots[Int(slot)].deadline > now else {
                // One whose time is measured waits for its timer.
                if response.probe == nil { state.remove(slot) }
                return nil
            }
            if response.export.options.responseType == .single { state.remove(slot) }
            return response
        }
    }

    /// Whether an answer is waited for.
    func awaits(_ subject: [UInt8]) -> Bool {
        guard let number = self.number(subject) else { return false }
        return self.state.withLockedValue { $0.place(number, of: subject) != nil }
    }

    /// More answers may follow this one.
    func extend(_ subject: [UInt8], now: NIODeadline) {
        guard let number = self.number(subject) else { return }
        self.state.withLockedValue { state in
            guard let slot = state.place(number, of: subject) else { return }
            state.extend(slot, now: now)
        }
    }

    /// An answer is not waited for any more.
    ///
    /// - Returns: what its latency was measured with, if none has come.
    @discardableResult
    func remove(_ subject: [UInt8]) -> LatencyProbe? {
        guard let number = self.number(subject) else { return nil }
        return self.state.withLockedValue { state in
            guard let slot = state.place(number, of: subject) else { return nil }
            return state.remove(slot)?.probe
        }
    }

    /// Nobody in an account waits for what comes to a reply subject any more.
    ///
    /// - Returns: what the latencies of its requests were measured with.
    func remove(waitingFor reply: [UInt8], in account: Account) -> [LatencyProbe] {
        let waiter = Self.waiter(reply, in: account)
        return self.state.withLockedValue { state in
            var probes: [LatencyProbe] = []
            var next = state.waiters[waiter] ?? -1
            while next >= 0 {
                let slot = next
                next = state.slots[Int(slot)].after
                guard let response = state.slots[Int(slot)].response, response.account === account,
                    response.reply == reply
                else { continue }
                if let probe = response.probe { probes.append(probe) }
                state.remove(slot)
            }
            return probes
        }
    }

    /// The reply subjects that somebody in an account waits for; none if that would take long to find out.
    func replies(in account: Account) -> [[UInt8]] {
        self.state.withLockedValue { state in
            guard state.slots.count <= Self.smallCount else { return [] }
            return state.slots.compactMap { $0.response?.account === account ? $0.response?.reply : nil }
        }
    }

    /// What is shown of an answer that is waited for.
    struct Shown: Sendable {
        let subject: String
        let reply: String
        let account: String
        let share: Bool
        let probe: LatencyProbe?
        let latency: ExportOptions.Latency?
    }

    /// So many are shown.
    private static let shownCount = 10_000

    /// The answers that are waited for, in the order of their subjects.
    var shown: [Shown] {
        let waiting = self.state.withLockedValue { state in
            state.places.values.prefix(Self.shownCount).compactMap { place in
                state.slots[Int(place)].response.map { (slot: state.slots[Int(place)], response: $0) }
            }
        }
        return waiting.map { slot, response in
            Shown(
                subject: String(decoding: self.subject(slot.number, slot.suffix), as: UTF8.self),
                reply: String(decoding: response.reply, as: UTF8.self),
                account: response.account.name,
                share: response.share,
                probe: response.probe,
                latency: response.export.options.latency
            )
        }.sorted { $0.subject < $1.subject }
    }

    /// Answers whose time is over are not waited for any more; those that are measured wait for their timers first.
    func forgetExpired(now: NIODeadline) {
        self.state.withLockedValue { $0.forgetExpired(now: now) }
    }

    /// An account is no more.
    func removeAll(of account: Account) {
        self.state.withLockedValue { state in
            let slots = state.slots.indices.filter { state.slots[$0].response?.account === account }
            for slot in slots { state.remove(Int32(truncatingIfNeeded: slot)) }
        }
    }

    /// The account itself is no more: it owes nothing, and will not.
    func close() {
        let old = self.state.withLockedValue { state in
            let old = state
            state = State()
            state.isClosed = true
            return old
        }
        for slot in old.slots {
            if let response = slot.response { response.account.closeRequest(response.cost) }
        }
    }
}

extension ServiceResponses.State {
    /// Where the response for a subject with this number is.
    func place(_ number: UInt64, of subject: [UInt8]) -> Int32? {
        guard let place = self.places[number] else { return nil }
        let suffix = subject.dropFirst(ServiceResponses.plainLength)
        return suffix.elementsEqual(self.slots[Int(place)].suffix) ? place : nil
    }

    mutating func add(
        _ response: ServiceResponses.Response,
        _ number: UInt64,
        _ suffix: [UInt8],
        _ waiter: UInt64,
        now: NIODeadline
    ) {
        let time = response.export.options.responseThreshold
        let age: Int
        if let known = self.ages.firstIndex(where: { $0.time == time }) {
            age = known
        } else {
            age = self.ages.count
            self.ages.append(ServiceResponses.Age(time: time))
        }
        let place: Int32
        if let free = self.free.popLast() {
            place = free
        } else {
            place = Int32(truncatingIfNeeded: self.slots.count)
            self.slots.append(ServiceResponses.Slot())
        }
        var slot = ServiceResponses.Slot()
        slot.response = response
        slot.number = number
        slot.suffix = suffix
        slot.waiter = waiter
        slot.age = age
        slot.after = self.waiters.updateValue(place, forKey: waiter) ?? -1
        if slot.after >= 0 { self.slots[Int(slot.after)].before = place }
        self.slots[Int(place)] = slot
        self.places[number] = place
        self.append(place, now: now)
    }

    /// Makes it the newest of those with its response time.
    private mutating func append(_ place: Int32, now: NIODeadline) {
        let age = self.slots[Int(place)].age
        let newest = self.ages[age].newest
        self.slots[Int(place)].deadline = now + TimeAmount(self.ages[age].time)
        self.slots[Int(place)].older = newest
        self.slots[Int(place)].newer = -1
        if newest >= 0 { self.slots[Int(newest)].newer = place } else { self.ages[age].oldest = place }
        self.ages[age].newest = place
    }

    private mutating func takeOutOfAge(_ place: Int32) {
        // Field by field: a copy of a slot would retain all that it holds.
        let age = self.slots[Int(place)].age
        let (older, newer) = (self.slots[Int(place)].older, self.slots[Int(place)].newer)
        if older >= 0 { self.slots[Int(older)].newer = newer } else { self.ages[age].oldest = newer }
        if newer >= 0 { self.slots[Int(newer)].older = older } else { self.ages[age].newest = older }
    }

    mutating func extend(_ place: Int32, now: NIODeadline) {
        self.takeOutOfAge(place)
        self.append(place, now: now)
    }

    @discardableResult
    mutating func remove(_ place: Int32) -> ServiceResponses.Response? {
        guard self.slots.indices.contains(Int(place)), let response = self.slots[Int(place)].response.take() else {
            return nil
        }
        self.takeOutOfAge(place)
        let (before, after) = (self.slots[Int(place)].before, self.slots[Int(place)].after)
        if before >= 0 {
            self.slots[Int(before)].after = after
        } else {
            self.waiters[self.slots[Int(place)].waiter] = after >= 0 ? after : nil
        }
        if after >= 0 { self.slots[Int(after)].before = before }
        self.places[self.slots[Int(place)].number] = nil
        if self.places.isEmpty, self.slots.count > ServiceResponses.smallCount {
            // What a flood has left.
            (self.slots, self.free) = ([], [])
        } else {
            self.free.append(place)
        }
        response.account.closeRequest(response.cost)
        return response
    }

    /// Removes what has waited for too long.
    ///
    /// Those that are measured wait for their timers, for a while: of very many only some have one
    /// (``ServerLoop/watchResponse(_:of:)``).
    mutating func forgetExpired(now: NIODeadline) {
        for age in self.ages.indices {
            while self.ages[age].oldest >= 0 {
                let slot = self.ages[age].oldest
                let grace = self.slots[Int(slot)].response?.probe == nil ? .zero : ServiceResponses.timerDelay
                guard self.slots[Int(slot)].deadline + grace <= now else { break }
                self.remove(slot)
            }
        }
    }

    /// Removes what has waited for too long.
    ///
    /// - Returns: what the latencies were measured with.
    mutating func expire(now: NIODeadline) -> [LatencyProbe] {
        var probes: [LatencyProbe] = []
        for age in self.ages.indices {
            while self.ages[age].oldest >= 0, self.slots[Int(self.ages[age].oldest)].deadline <= now {
                if let probe = self.remove(self.ages[age].oldest)?.probe { probes.append(probe) }
            }
        }
        return probes
    }
}
