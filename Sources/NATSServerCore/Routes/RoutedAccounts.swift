import NATSWire

/// One loop's views of the accounts that a peer names in its messages, found without allocating or retaining anything.
///
/// Not thread-safe: of the loop of a route.
struct RoutedAccounts {
    /// A name as the peer spells it, and what it stands for.
    final class Entry {
        let router: AccountRouter
        fileprivate let name: [UInt8]
        fileprivate let hash: UInt64

        fileprivate init(_ name: [UInt8], hash: UInt64, _ router: AccountRouter) {
            self.name = name
            self.hash = hash
            self.router = router
        }

        @inline(__always)
        fileprivate func isNamed(_ name: UnsafeBufferPointer<UInt8>) -> Bool {
            self.name.withUnsafeBufferPointer { own in
                guard let left = own.baseAddress, let right = name.baseAddress else { return own.count == name.count }
                return own.count == name.count && ByteCompare.equal(left, right, name.count)
            }
        }
    }

    /// Messages of one account come one after the other most of the time.
    private var last: Unmanaged<Entry>?
    private var entries: [UInt64: Entry] = [:]

    /// The account of the last message, whatever it is called.
    var current: Unmanaged<Entry>? { self.last }

    /// Finds an account that has been named before.
    @inline(__always)
    mutating func find(_ name: UnsafeBufferPointer<UInt8>, _ hash: SubjectHash) -> Unmanaged<Entry>? {
        if let last = self.last, last._withUnsafeGuaranteedRef({ $0.isNamed(name) }) { return last }
        return self.findAnother(name, hash)
    }

    @inline(never)
    private mutating func findAnother(
        _ name: UnsafeBufferPointer<UInt8>,
        _ hash: SubjectHash
    ) -> Unmanaged<Entry>? {
        guard let base = name.baseAddress, let entry = self.entries[hash(base, name.count)], entry.isNamed(name) else {
            return nil
        }
        self.last = .passUnretained(entry)
        return self.last
    }

    /// Remembers what a name stands for; one with the same hash is forgotten for that.
    mutating func insert(_ name: [UInt8], _ router: AccountRouter, _ hash: SubjectHash) -> Unmanaged<Entry> {
        let value = name.withUnsafeBufferPointer { bytes in bytes.baseAddress.map { hash($0, bytes.count) } ?? 0 }
        let entry = Entry(name, hash: value, router)
        self.entries[value] = entry
        let found = Unmanaged.passUnretained(entry)
        self.last = found
        return found
    }

    func clearCaches() { for entry in self.entries.values { entry.router.cache.pointee.clear() } }

    mutating func removeAll() {
        self.last = nil
        self.entries = [:]
    }
}
