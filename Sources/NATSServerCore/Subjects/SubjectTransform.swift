internal import NATSServerConfig

/// Makes one subject of another: `orders.*` to `new.{{partition(3,1)}}.$1`.
///
/// Which transforms there may be is for ``TransformRules`` to say. A pure value; only `{{random(n)}}` needs more than the
/// subject.
struct SubjectTransform: Sendable, Equatable {
    private enum Token: Sendable, Equatable {
        case literal([UInt8])
        /// The places of tokens in the source.
        case wildcard(Int)
        case partition(count: Int, tokens: [Int])
        case random(Int)
        case splitFromLeft(Int, Int)
        case splitFromRight(Int, Int)
        case sliceFromLeft(Int, Int)
        case sliceFromRight(Int, Int)
        case left(Int, Int)
        case right(Int, Int)
        case split(Int, [UInt8])
    }

    private static let dot = UInt8(ascii: ".")

    let source: String
    let destination: String
    private let tokens: [Token]
    /// Ends in `>`: what follows this many tokens of the source is kept.
    private let keptFrom: Int?
    private let sourceHasWildcards: Bool

    /// A transform, or `nil` if there can be no such one.
    ///
    /// - Parameters:
    ///   - source: The subject to match; `>` if it is empty.
    ///   - destination: What becomes of it.
    ///   - isStrict: Whether every wildcard has to be used, and nothing else, so that it can be turned round.
    init?(_ source: String, _ destination: String, isStrict: Bool = false) {
        guard !destination.isEmpty, TransformRules.failure(source, destination, isStrict: isStrict) == nil else {
            return nil
        }
        let source = source.isEmpty ? ">" : source
        let sourceTokens = source.split(separator: ".", omittingEmptySubsequences: false)
        let wildcards = sourceTokens.indices.filter { sourceTokens[$0] == "*" }
        func place(_ wildcard: Int) -> Int { wildcards.indices.contains(wildcard - 1) ? wildcards[wildcard - 1] : 0 }
        let hasWildcards = !wildcards.isEmpty || sourceTokens.last == ">"
        var tokens: [Token] = []
        var keptFrom: Int?
        for token in destination.split(separator: ".", omittingEmptySubsequences: false) {
            guard token != ">" else {
                keptFrom = sourceTokens.count - 1
                break
            }
            guard let function = TransformRules.function(token) else { return nil }
            switch function {
            case .literal: tokens.append(.literal(Array(token.utf8)))
            case .wildcard(let index): tokens.append(.wildcard(place(index)))
            case .partition(let count, let indexes):
                // Without wildcards to name, the whole subject counts.
                tokens.append(.partition(count: count, tokens: hasWildcards ? indexes.map(place) : []))
            case .random(let limit): tokens.append(.random(limit))
            case .splitFromLeft(let index, let size): tokens.append(.splitFromLeft(place(index), size))
            case .splitFromRight(let index, let size): tokens.append(.splitFromRight(place(index), size))
            case .sliceFromLeft(let index, let size): tokens.append(.sliceFromLeft(place(index), size))
            case .sliceFromRight(let index, let size): tokens.append(.sliceFromRight(place(index), size))
            case .left(let index, let size): tokens.append(.left(place(index), size))
            case .right(let index, let size): tokens.append(.right(place(index), size))
            case .split(let index, let separator): tokens.append(.split(place(index), Array(separator.utf8)))
            }
        }
        self.source = source
        self.destination = destination
        self.tokens = tokens
        self.keptFrom = keptFrom
        self.sourceHasWildcards = hasWildcards
    }

    /// Whether the same subject may become different ones.
    var isRandom: Bool {
        self.tokens.contains { if case .random = $0 { true } else { false } }
    }

    /// The other way round; only of strict ones (nats-server subject_transform.go reverse).
    func reversed() -> SubjectTransform? {
        let source = TransformRules.untokenized(self.destination)
        let written = self.destination.split(separator: ".", omittingEmptySubsequences: false)
        let plain = source.split(separator: ".", omittingEmptySubsequences: false)
        var placeholders = zip(written, plain).filter { $0 != $1 }.map(\.0)[...]
        let tokens = self.source.split(separator: ".", omittingEmptySubsequences: false).map { token in
            token == "*" ? placeholders.popFirst() ?? token : token
        }
        return SubjectTransform(source, tokens.joined(separator: "."), isStrict: true)
    }

    /// What becomes of a subject that the source covers.
    func callAsFunction(_ subject: [UInt8], using generator: inout some RandomNumberGenerator) -> [UInt8] {
        let parts = subject.split(separator: Self.dot, omittingEmptySubsequences: false)
        var result: [UInt8] = []
        result.reserveCapacity(subject.count + self.destination.utf8.count)
        for (index, token) in self.tokens.enumerated() {
            if index > 0 { result.append(Self.dot) }
            self.append(token, parts, to: &result, using: &generator)
        }
        guard let keptFrom = self.keptFrom else { return result }
        if !self.tokens.isEmpty { result.append(Self.dot) }
        for index in keptFrom..<max(keptFrom, parts.count) {
            if index > keptFrom { result.append(Self.dot) }
            result.append(contentsOf: parts[index])
        }
        return result
    }

    /// The same where nothing is random.
    func callAsFunction(_ subject: [UInt8]) -> [UInt8] {
        var generator = FastRandom(seed: 1)
        return self(subject, using: &generator)
    }

    private func append(
        _ token: Token,
        _ parts: [ArraySlice<UInt8>],
        to result: inout [UInt8],
        using generator: inout some RandomNumberGenerator
    ) {
        func part(_ index: Int) -> ArraySlice<UInt8> { parts.indices.contains(index) ? parts[index] : [] }
        switch token {
        case .literal(let bytes): result.append(contentsOf: bytes)
        case .wildcard(let index): result.append(contentsOf: part(index))
        case .partition(let count, let indexes):
            var hash = FNV1a()
            if indexes.isEmpty {
                // nats-server accounts.go selectMappedSubject: a mapping without wildcards is found by comparing, and the
                // subject is not cut into tokens then.
                if self.sourceHasWildcards { hash.add(parts.joined(separator: [Self.dot])) }
            } else {
                for index in indexes { hash.add(part(index)) }
            }
            result.append(contentsOf: "\(hash.bucket(of: count))".utf8)
        case .random(let limit):
            // Go's remainder takes the sign of the first number.
            let limit = Int(Int32(truncatingIfNeeded: limit))
            let number = limit == 0 ? 0 : Int.random(in: 0...Int(Int32.max), using: &generator) % limit
            result.append(contentsOf: "\(number)".utf8)
        case .splitFromLeft(let index, let position):
            self.appendHalves(part(index), first: position, to: &result)
        case .splitFromRight(let index, let position):
            let part = part(index)
            self.appendHalves(part, first: part.count - position, to: &result)
        case .sliceFromLeft(let index, let size):
            let part = part(index)
            self.appendSlices(part, first: size, size: size, to: &result)
        case .sliceFromRight(let index, let size):
            let part = part(index)
            self.appendSlices(part, first: size > 0 ? part.count % size : 0, size: size, to: &result)
        case .left(let index, let size):
            let part = part(index)
            result.append(contentsOf: size > 0 && size < part.count ? part.prefix(size) : part)
        case .right(let index, let size):
            let part = part(index)
            result.append(contentsOf: size > 0 && size < part.count ? part.suffix(size) : part)
        case .split(let index, let separator):
            self.appendSplit(part(index), separator, to: &result)
        }
    }

    private func appendHalves(_ part: ArraySlice<UInt8>, first: Int, to result: inout [UInt8]) {
        guard first > 0, first < part.count else { return result.append(contentsOf: part) }
        result.append(contentsOf: part.prefix(first))
        result.append(Self.dot)
        result.append(contentsOf: part.dropFirst(first))
    }

    private func appendSlices(_ part: ArraySlice<UInt8>, first: Int, size: Int, to result: inout [UInt8]) {
        guard size > 0, size < part.count else { return result.append(contentsOf: part) }
        var rest = part
        var length = first == 0 ? size : first
        while !rest.isEmpty {
            if rest.startIndex > part.startIndex { result.append(Self.dot) }
            result.append(contentsOf: rest.prefix(length))
            rest = rest.dropFirst(length)
            length = size
        }
    }

    private func appendSplit(_ part: ArraySlice<UInt8>, _ separator: [UInt8], to result: inout [UInt8]) {
        let pieces = Self.split(part, separator)
        for (index, piece) in pieces.enumerated() {
            result.append(contentsOf: piece)
            guard index < pieces.count - 1, !pieces[index + 1].isEmpty, index > 0 || !piece.isEmpty else { continue }
            result.append(Self.dot)
        }
    }

    /// As Go's `strings.Split`: with an empty separator, into characters.
    private static func split(_ part: ArraySlice<UInt8>, _ separator: [UInt8]) -> [ArraySlice<UInt8>] {
        guard !separator.isEmpty else {
            var pieces: [ArraySlice<UInt8>] = []
            var start = part.startIndex
            for index in part.indices.dropFirst() where part[index] & 0xc0 != 0x80 {
                pieces.append(part[start..<index])
                start = index
            }
            if !part.isEmpty { pieces.append(part[start...]) }
            return pieces
        }
        var pieces: [ArraySlice<UInt8>] = []
        var start = part.startIndex
        var index = start
        while index + separator.count <= part.endIndex {
            if part[index..<index + separator.count].elementsEqual(separator) {
                pieces.append(part[start..<index])
                index += separator.count
                start = index
            } else {
                index += 1
            }
        }
        pieces.append(part[start...])
        return pieces
    }
}

/// The hash that decides about partitions: clients in other languages count on it.
private struct FNV1a {
    private var state: UInt32 = 2_166_136_261

    mutating func add(_ bytes: some Sequence<UInt8>) {
        for byte in bytes { self.state = (self.state ^ UInt32(byte)) &* 16_777_619 }
    }

    /// nats-server subject_transform.go getHashPartition: the number of buckets as 32 bits without sign.
    func bucket(of count: Int) -> UInt32 {
        let count = UInt32(truncatingIfNeeded: count)
        return count == 0 ? 0 : self.state % count
    }
}
