/// The client URLs of all peers, each counted by how many peers name it, in the order in which they became known.
struct RemoteClientURLs {
    private var counts: [String: Int] = [:]
    private(set) var all: [String] = []

    /// - Returns: whether there is one more.
    mutating func add(_ urls: [String]) -> Bool {
        let before = self.all.count
        for url in urls {
            self.counts[url, default: 0] += 1
            if self.counts[url] == 1 { self.all.append(url) }
        }
        return self.all.count > before
    }

    /// - Returns: whether there is one less.
    mutating func remove(_ urls: [String]) -> Bool {
        var gone: Set<String> = []
        for url in urls {
            guard let count = self.counts[url] else { continue }
            self.counts[url] = count > 1 ? count - 1 : nil
            if count == 1 { gone.insert(url) }
        }
        self.all.removeAll(where: gone.contains)
        return !gone.isEmpty
    }
}
