import NIOCore

/// Accounts that have more connections than they may.
extension ServerLoops {
    private struct Member {
        let accepted: NIODeadline
        let id: UInt64
        let isLeafNode: Bool
    }

    /// Closes those of an account's connections that came last, if there are too many together with those on other servers.
    func closeSurplus(of account: Account) {
        guard account.beginSurplus() else { return }
        self.collect { loop in
            loop.connections.values.filter { $0.phase == .open && $0.account === account }
                .map { Member(accepted: $0.accepted, id: $0.id, isLeafNode: false) }
                + loop.leafs.values.filter { $0.phase == .open && $0.isInAccount && $0.account === account }
                .map { Member(accepted: $0.accepted, id: $0.id, isLeafNode: true) }
        } completion: { answers in
            account.endSurplus()
            let members = answers.joined().sorted { ($0.accepted, $0.id) < ($1.accepted, $1.id) }
            var surplus: Set<UInt64> = []
            // There may be room for them by now.
            if account.isTooFull {
                let room = max(0, account.limits.maxConnections - account.remoteConnectionCount)
                surplus.formUnion(members.dropFirst(room).map(\.id))
            }
            if account.hasTooManyLeafNodes {
                let room = max(0, account.limits.maxLeafNodes - account.remoteLeafNodeCount)
                surplus.formUnion(members.filter(\.isLeafNode).dropFirst(room).map(\.id))
            }
            let ids = surplus
            if !ids.isEmpty { self.tell { loop in loop.close(ids, of: account) } }
        }
    }
}

extension ServerLoop {
    fileprivate func close(_ surplus: Set<UInt64>, of account: Account) {
        for connection in Array(self.connections.values)
        where connection.account === account && surplus.contains(connection.id) {
            connection.accountIsTooFull()
        }
        for leaf in Array(self.leafs.values) where leaf.account === account && surplus.contains(leaf.id) {
            leaf.accountIsTooFull()
        }
    }
}
