/// Deadlines of many waiters in a binary heap: one timer serves them all.
///
/// A waiter that is done stays in the heap until its turn or until ``compact(keeping:)``; the owner knows who is alive.
struct DeadlineHeap {
    struct Entry: Equatable {
        var deadline: UInt64
        var token: UInt64
    }

    private(set) var entries: [Entry] = []

    /// The earliest entry.
    var first: Entry? {
        self.entries.first
    }

    var count: Int {
        self.entries.count
    }

    mutating func insert(_ entry: Entry) {
        self.entries.append(entry)
        var child = self.entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard self.entries[child].deadline < self.entries[parent].deadline else {
                return
            }
            self.entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func removeFirst() -> Entry? {
        guard let first = self.entries.first, let last = self.entries.popLast() else {
            return nil
        }
        if !self.entries.isEmpty {
            self.entries[0] = last
            self.siftDown(from: 0)
        }
        return first
    }

    /// Drops every entry that `isAlive` disowns.
    mutating func compact(keeping isAlive: (Entry) -> Bool) {
        self.entries.removeAll { !isAlive($0) }
        for index in stride(from: self.entries.count / 2 - 1, through: 0, by: -1) {
            self.siftDown(from: index)
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            for child in [2 * parent + 1, 2 * parent + 2]
            where child < self.entries.count && self.entries[child].deadline < self.entries[smallest].deadline {
                smallest = child
            }
            guard smallest != parent else {
                return
            }
            self.entries.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
