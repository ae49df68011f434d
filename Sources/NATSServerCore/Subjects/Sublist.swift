internal import NATSWire

/// Something that can be stored in a ``Sublist``.
///
/// The list keeps the element's place in `sublistPlace`, so that removing it costs no search.
protocol SublistElement: AnyObject {
    /// The subject, wildcards included.
    var subject: [UInt8] { get }
    /// The queue group's name; empty for a plain subscription.
    var queue: [UInt8] { get }
    /// Owned by the list while the element is in it.
    var sublistPlace: SublistPlace? { get set }
}

/// Where an element stands in a ``Sublist``.
struct SublistPlace: Equatable {
    fileprivate var node: Int32
    fileprivate var index: Int32
}

/// All subscriptions of an account, found by published subject.
///
/// A trie with one level per token. The edges of all nodes live in one open-addressing hash table keyed by
/// (parent node, token), so a level costs one probe and a node owns no table of its own:
///
///     nodes   [ root | foo | foo.bar | foo.* | … ]      node: token, parent, `*` child, `>` child, subscriptions
///     edges   { (root,"foo") → 1, (1,"bar") → 2, … }    wildcard children hang on the node itself
///
/// A pure data structure: no lock, no clock.
struct Sublist<Element: SublistElement> {
    private struct Node {
        var token: [UInt8] = []
        var edgeHash: UInt64 = 0
        var parent: Int32 = -1
        var star: Int32 = -1
        var rest: Int32 = -1
        var literalChildren: Int32 = 0
        var plain: ContiguousArray<Element> = []
        /// Members of the queue groups, by name.
        var groups: [[UInt8]: ContiguousArray<Element>] = [:]

        var isUnused: Bool {
            self.star < 0 && self.rest < 0 && self.literalChildren == 0 && self.plain.isEmpty && self.groups.isEmpty
        }
    }

    private struct Edge {
        var hash: UInt64 = 0
        /// The child; 0 (the root, which is nobody's child) marks a free slot.
        var node: Int32 = 0
    }

    /// The subscriptions that want one subject.
    struct Match {
        var plain: ContiguousArray<Element> = []
        /// One array per queue group name, members of all matching patterns together (nats-server sublist.go
        /// addNodeToResults).
        var groups: ContiguousArray<ContiguousArray<Element>> = []

        /// Where each group's array is; only kept once there are enough groups to make a search slow.
        private var places: [[UInt8]: Int] = [:]
        private static var searchedGroups: Int { 8 }

        var isEmpty: Bool { self.plain.isEmpty && self.groups.isEmpty }

        fileprivate mutating func add(_ members: ContiguousArray<Element>, toGroup name: [UInt8]) {
            if let place = self.place(of: name) {
                self.groups[place].append(contentsOf: members)
                return
            }
            self.groups.append(members)
            if !self.places.isEmpty { self.places[name] = self.groups.count - 1 }
        }

        private mutating func place(of name: [UInt8]) -> Int? {
            guard self.groups.count > Self.searchedGroups else {
                return self.groups.firstIndex { $0.first?.queue == name }
            }
            if self.places.isEmpty {
                for (place, members) in self.groups.enumerated() { self.places[members.first?.queue ?? []] = place }
            }
            return self.places[name]
        }
    }

    private let hash: SubjectHash
    private var nodes: ContiguousArray<Node> = [Node()]
    private var freeNodes: ContiguousArray<Int32> = []
    private var edges: ContiguousArray<Edge> = ContiguousArray(repeating: Edge(), count: 16)
    private var edgeCount = 0
    /// How many elements are in the list.
    private(set) var count = 0

    init(hash: SubjectHash) {
        self.hash = hash
    }

    /// Nodes in use besides the root; for tests that look for leaks.
    var nodeCount: Int { self.nodes.count - self.freeNodes.count - 1 }

    /// Adds an element.
    ///
    /// - Returns: `false`, and nothing happens, if its subject cannot be subscribed to.
    mutating func insert(_ element: Element) -> Bool {
        precondition(element.sublistPlace == nil, "an element can be in one list only")
        let subject = element.subject
        let isValid = subject.withUnsafeBytes { SubjectGrammar.isSubscribable($0) }
        guard isValid else { return false }
        var node: Int32 = 0
        subject.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            var start = 0
            for end in 0...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: ".") {
                node = self.childCreatingIfNeeded(of: node, base + start, end - start)
                start = end + 1
            }
        }
        element.sublistPlace = SublistPlace(node: node, index: self.append(element, to: Int(node)))
        self.count += 1
        return true
    }

    /// Removes an element, if it is in the list.
    @discardableResult
    mutating func remove(_ element: Element) -> Bool {
        guard let place = element.sublistPlace else { return false }
        element.sublistPlace = nil
        let node = Int(place.node)
        let index = Int(place.index)
        if element.queue.isEmpty {
            Self.swapRemove(&self.nodes[node].plain, at: index)
        } else {
            Self.swapRemove(&self.nodes[node].groups[element.queue, default: []], at: index)
            if self.nodes[node].groups[element.queue]?.isEmpty == true { self.nodes[node].groups[element.queue] = nil }
        }
        self.count -= 1
        self.prune(place.node)
        return true
    }

    /// How far a visit of all elements has come; an element stays with one node as long as it is in the list.
    struct Cursor {
        fileprivate var node = 0
        /// How many of the node's elements without a queue group are left, the first ones; `nil` if all of them are.
        ///
        /// From the end to the beginning, since what is removed is replaced by the last element.
        fileprivate var plainLeft: Int?
        /// Those with a queue group when the visit came to the node.
        fileprivate var groups: ContiguousArray<ContiguousArray<Element>> = []
        fileprivate var group = 0
        fileprivate var member = 0
    }

    /// Calls `body` for the next elements of a visit.
    ///
    /// What is in the list all the time is not missed; while other elements go it may be met twice.
    ///
    /// - Parameters:
    ///   - cursor: How far the visit has come.
    ///   - count: How many elements and nodes are looked at.
    ///   - body: Gets each element.
    /// - Returns: `false` if that was the end.
    func visit(_ cursor: inout Cursor, atMost count: Int, _ body: (Element) -> Void) -> Bool {
        var rest = count
        while rest > 0, cursor.node < self.nodes.count {
            let plain = self.nodes[cursor.node].plain
            if cursor.plainLeft == nil { cursor.groups = ContiguousArray(self.nodes[cursor.node].groups.values) }
            var left = min(cursor.plainLeft ?? plain.count, plain.count)
            while left > 0, rest > 0 {
                left -= 1
                rest -= 1
                body(plain[left])
            }
            cursor.plainLeft = left
            while rest > 0, cursor.group < cursor.groups.count {
                let members = cursor.groups[cursor.group]
                while rest > 0, cursor.member < members.count {
                    let element = members[cursor.member]
                    cursor.member += 1
                    rest -= 1
                    // Some may have gone since.
                    if element.sublistPlace != nil { body(element) }
                }
                guard cursor.member == members.count else { break }
                cursor.group += 1
                cursor.member = 0
            }
            guard left == 0, cursor.group == cursor.groups.count else { break }
            rest -= 1
            cursor = Cursor(node: cursor.node + 1)
        }
        return cursor.node < self.nodes.count
    }

    /// Finds everything that wants a published subject.
    ///
    /// `*` and `>` in the subject are plain text. A subject with an empty token matches nothing.
    func match(_ subject: UnsafeBufferPointer<UInt8>) -> Match {
        var result = Match()
        guard let base = subject.baseAddress, SubjectGrammar.hasNoEmptyToken(UnsafeRawBufferPointer(subject)) else {
            return result
        }
        self.nodes.withUnsafeBufferPointer { nodes in
            self.match(base, subject.count, nodes, &result)
        }
        return result
    }

    // MARK: Matching

    /// Walks down one branch and keeps the others for later: a subject has thousands of tokens at worst, more than a
    /// thread's stack could take as calls.
    private func match(
        _ subject: UnsafePointer<UInt8>,
        _ count: Int,
        _ nodes: UnsafeBufferPointer<Node>,
        _ result: inout Match
    ) {
        var later: ContiguousArray<(node: Int, start: Int)> = []
        var current: (node: Int, start: Int)? = (0, 0)
        while let (node, start) = current {
            current = nil
            var end = start
            while end < count, subject[end] != UInt8(ascii: ".") { end += 1 }
            let rest = nodes[node].rest
            if rest >= 0 { Self.collect(nodes[Int(rest)], &result) }
            let star = nodes[node].star
            let literal = self.child(of: Int32(truncatingIfNeeded: node), subject + start, end - start, nodes)
            if end == count {
                if star >= 0 { Self.collect(nodes[Int(star)], &result) }
                if literal > 0 { Self.collect(nodes[Int(literal)], &result) }
            } else {
                if star >= 0 { current = (Int(star), end + 1) }
                if literal > 0 {
                    if let star = current { later.append(star) }
                    current = (Int(literal), end + 1)
                }
            }
            current = current ?? later.popLast()
        }
    }

    private static func collect(_ node: borrowing Node, _ result: inout Match) {
        if result.plain.isEmpty {
            // Mostly there is only one such node: no copy of its elements then.
            result.plain = node.plain
        } else {
            result.plain.append(contentsOf: node.plain)
        }
        guard !node.groups.isEmpty else { return }
        for (name, members) in node.groups { result.add(members, toGroup: name) }
    }

    /// The child for a literal token, or 0.
    private func child(
        of parent: Int32,
        _ token: UnsafePointer<UInt8>,
        _ length: Int,
        _ nodes: UnsafeBufferPointer<Node>
    ) -> Int32 {
        let hash = self.hash(token, length, salt: UInt64(truncatingIfNeeded: parent) &+ 1)
        let mask = self.edges.count - 1
        var slot = Int(truncatingIfNeeded: hash) & mask
        while true {
            let edge = self.edges[slot]
            if edge.node == 0 { return 0 }
            if edge.hash == hash, Self.isChild(nodes[Int(edge.node)], parent, token, length) { return edge.node }
            slot = (slot + 1) & mask
        }
    }

    private static func isChild(
        _ node: borrowing Node,
        _ parent: Int32,
        _ token: UnsafePointer<UInt8>,
        _ length: Int
    ) -> Bool {
        guard node.parent == parent, node.token.count == length else { return false }
        for index in 0..<length where node.token[index] != token[index] { return false }
        return true
    }

    // MARK: Changing

    private mutating func append(_ element: Element, to node: Int) -> Int32 {
        if element.queue.isEmpty {
            self.nodes[node].plain.append(element)
            return Int32(truncatingIfNeeded: self.nodes[node].plain.count - 1)
        }
        self.nodes[node].groups[element.queue, default: []].append(element)
        return Int32(truncatingIfNeeded: (self.nodes[node].groups[element.queue]?.count ?? 1) - 1)
    }

    private static func swapRemove(_ elements: inout ContiguousArray<Element>, at index: Int) {
        let last = elements.count - 1
        if index != last {
            elements.swapAt(index, last)
            elements[index].sublistPlace?.index = Int32(truncatingIfNeeded: index)
        }
        elements.removeLast()
    }

    private mutating func childCreatingIfNeeded(
        of parent: Int32,
        _ token: UnsafePointer<UInt8>,
        _ length: Int
    ) -> Int32 {
        if length == 1, token[0] == UInt8(ascii: "*") {
            if self.nodes[Int(parent)].star < 0 {
                let node = self.makeNode(parent: parent, token: [UInt8(ascii: "*")])
                self.nodes[Int(parent)].star = node
            }
            return self.nodes[Int(parent)].star
        }
        if length == 1, token[0] == UInt8(ascii: ">") {
            if self.nodes[Int(parent)].rest < 0 {
                let node = self.makeNode(parent: parent, token: [UInt8(ascii: ">")])
                self.nodes[Int(parent)].rest = node
            }
            return self.nodes[Int(parent)].rest
        }
        let existing = self.nodes.withUnsafeBufferPointer { self.child(of: parent, token, length, $0) }
        if existing > 0 { return existing }
        let node = self.makeNode(parent: parent, token: Array(UnsafeBufferPointer(start: token, count: length)))
        let hash = self.hash(token, length, salt: UInt64(truncatingIfNeeded: parent) &+ 1)
        self.nodes[Int(node)].edgeHash = hash
        self.nodes[Int(parent)].literalChildren += 1
        self.insertEdge(Edge(hash: hash, node: node))
        return node
    }

    private mutating func makeNode(parent: Int32, token: [UInt8]) -> Int32 {
        var node = Node()
        node.parent = parent
        node.token = token
        if let free = self.freeNodes.popLast() {
            self.nodes[Int(free)] = node
            return free
        }
        self.nodes.append(node)
        return Int32(truncatingIfNeeded: self.nodes.count - 1)
    }

    private mutating func prune(_ start: Int32) {
        var node = start
        while node != 0, self.nodes[Int(node)].isUnused {
            let parent = self.nodes[Int(node)].parent
            if self.nodes[Int(parent)].star == node {
                self.nodes[Int(parent)].star = -1
            } else if self.nodes[Int(parent)].rest == node {
                self.nodes[Int(parent)].rest = -1
            } else {
                self.removeEdge(to: node)
                self.nodes[Int(parent)].literalChildren -= 1
            }
            self.nodes[Int(node)] = Node()
            self.freeNodes.append(node)
            node = parent
        }
    }

    private mutating func insertEdge(_ edge: Edge) {
        if (self.edgeCount + 1) * 4 > self.edges.count * 3 {
            let old = self.edges
            self.edges = ContiguousArray(repeating: Edge(), count: old.count * 2)
            for edge in old where edge.node != 0 { self.place(edge) }
        }
        self.place(edge)
        self.edgeCount += 1
    }

    private mutating func place(_ edge: Edge) {
        let mask = self.edges.count - 1
        var slot = Int(truncatingIfNeeded: edge.hash) & mask
        while self.edges[slot].node != 0 { slot = (slot + 1) & mask }
        self.edges[slot] = edge
    }

    /// Linear probing without tombstones: later members of the run move up into the hole.
    private mutating func removeEdge(to node: Int32) {
        let mask = self.edges.count - 1
        var hole = Int(truncatingIfNeeded: self.nodes[Int(node)].edgeHash) & mask
        while self.edges[hole].node != node {
            precondition(self.edges[hole].node != 0, "every literal node has an edge")
            hole = (hole + 1) & mask
        }
        var next = (hole + 1) & mask
        while self.edges[next].node != 0 {
            let home = Int(truncatingIfNeeded: self.edges[next].hash) & mask
            // May move if its home is not behind the hole, cyclically.
            if (next &- home) & mask >= (next &- hole) & mask {
                self.edges[hole] = self.edges[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        self.edges[hole] = Edge()
        self.edgeCount -= 1
    }
}
