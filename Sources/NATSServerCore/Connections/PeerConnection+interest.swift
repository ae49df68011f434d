import Logging
import NATSText
import NATSWire
import NIOConcurrencyHelpers
import NIOCore

/// What another server is told of subscriptions here.
extension PeerConnection {
    /// So many changes are looked at before others get at the account's subscriptions.
    private static let lookedAtOnce = 512
    /// So many bytes are written in one piece.
    private static let pieceSize = 64 << 10
    /// A peer that has not taken this much is told of changes later, unless messages go with them.
    private static let mostWaiting = 1 << 20
    private static let retryTime: TimeAmount = .milliseconds(10)

    /// Tells the peer of an account's subscriptions from now on.
    ///
    /// - Parameters:
    ///   - account: The account.
    ///   - leafInterest: What of it, if the peer is a leaf node or the hub.
    func watch(_ account: Account, _ leafInterest: LeafInterest? = nil) {
        guard self.phase == .open, self.watchers[ObjectIdentifier(account)] == nil else { return }
        if self.watchers.isEmpty {
            // INFO comes first, and it may still be staged.
            self.send(self.outlet.takeStaged(), now: .now())
        }
        let watcher = InterestWatcher(account: account, peer: self, leafInterest: leafInterest)
        self.watchers[ObjectIdentifier(account)] = watcher
        account.index.begin(watcher)
    }

    func endWatchers() {
        for watcher in self.watchers.values { watcher.account.index.end(watcher) }
        self.watchers = [:]
        self.pendingInterest.withLockedValue { $0 = [] }
    }

    /// There is something to tell; under the lock of the account's subscriptions, on any thread.
    func interestIsPending(_ watcher: InterestWatcher) {
        let isFirst = self.pendingInterest.withLockedValue { pending in
            pending.append(watcher)
            return pending.count == 1
        }
        guard isFirst, !self.shared.isEnding else { return }
        self.loop.eventLoop.execute { if !self.announcesLater { self.announceInterest() } }
    }

    private func announceInterest() {
        self.announcesLater = false
        guard self.phase == .open, let context = self.context else { return }
        guard self.backlog.pending < Self.mostWaiting else {
            self.announcesLater = true
            self.loop.eventLoop.scheduleTask(in: Self.retryTime) { self.announceInterest() }
            return
        }
        self.announceInterest(context, isWhole: false)
    }

    /// Writes what there is to tell, ahead of all that is staged.
    ///
    /// - Parameters:
    ///   - context: Where to.
    ///   - isWhole: Whether everything has to be told, since messages follow; else one piece of each account.
    func announceInterest(_ context: ChannelHandlerContext, isWhole: Bool) {
        guard !self.isAnnouncing else { return }
        let pending = self.pendingInterest.withLockedValue { pending in
            defer { pending = [] }
            return pending
        }
        guard !pending.isEmpty else { return }
        self.isAnnouncing = true
        defer { self.isAnnouncing = false }
        var lines: [UInt8] = []
        for watcher in pending where self.watchers[ObjectIdentifier(watcher.account)] === watcher {
            watcher.willLook()
            let name = self.isDedicated ? [] : watcher.account.index.account
            var hasMore = true
            repeat {
                hasMore = watcher.account.index.next(watcher, atMost: Self.lookedAtOnce) { update in
                    self.append(update, of: name, to: &lines)
                }
                if lines.count >= Self.pieceSize { self.writeAhead(&lines) }
            } while hasMore && isWhole
            if hasMore { watcher.interestChanged() }
        }
        self.writeAhead(&lines)
    }

    /// Writes lines ahead of all that is staged, and empties them.
    func writeAhead(_ lines: inout [UInt8]) {
        guard !lines.isEmpty else { return }
        if self.isTracing {
            for line in lines.split(separator: 0x0a) { self.traceOut(GoString.harmless(line.dropLast())) }
        }
        let staged = Outlet.Staged(
            earlier: [],
            last: ByteBuffer(bytes: lines),
            bytes: lines.count,
            messages: 0,
            payloadBytes: 0
        )
        lines.removeAll(keepingCapacity: true)
        self.send(staged, now: .now())
    }
}
