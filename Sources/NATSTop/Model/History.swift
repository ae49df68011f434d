/// The server's figures of the last minutes.
package struct History: Sendable, Equatable {
    /// Fifteen minutes of one sample a second.
    package static let capacity = 900

    package struct Point: Sendable, Equatable {
        package var rates = Rates()
        package var cpu = 0.0
        package var memory = 0.0
        /// New ones since the point before.
        package var slowConsumers = 0.0
        package var connections = 0.0
    }

    /// Oldest first; nil where the server was not reached.
    package private(set) var points: [Point?] = []

    mutating func append(_ point: Point?) {
        self.points.append(point)
        // Seldom and many at once: removing the first one each time would move all.
        if self.points.count >= 2 * Self.capacity { self.points.removeFirst(Self.capacity) }
    }

    /// The last `count` values, oldest first.
    package func values(_ value: KeyPath<Point, Double>, last count: Int) -> [Double?] {
        self.points.suffix(min(count, Self.capacity)).map { $0.map { $0[keyPath: value] } }
    }
}
