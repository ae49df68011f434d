/// Events by time; those of the same time in the order in which they were added.
struct EventQueue<Event> {
    private struct Item {
        let time: UInt64
        let serial: UInt64
        let event: Event

        func isBefore(_ other: Item) -> Bool { (self.time, self.serial) < (other.time, other.serial) }
    }

    private var heap: [Item] = []
    private var lastSerial: UInt64 = 0

    var nextTime: UInt64? { self.heap.first?.time }

    mutating func add(_ event: Event, at time: UInt64) {
        self.lastSerial += 1
        self.heap.append(Item(time: time, serial: self.lastSerial, event: event))
        var child = self.heap.count - 1
        while child > 0, self.heap[child].isBefore(self.heap[(child - 1) / 2]) {
            self.heap.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (time: UInt64, event: Event)? {
        guard let first = self.heap.first else { return nil }
        self.heap.swapAt(0, self.heap.count - 1)
        self.heap.removeLast()
        var parent = 0
        while true {
            let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < self.heap.count }
            guard let child = children.min(by: { self.heap[$0].isBefore(self.heap[$1]) }),
                self.heap[child].isBefore(self.heap[parent])
            else { break }
            self.heap.swapAt(child, parent)
            parent = child
        }
        return (first.time, first.event)
    }
}
