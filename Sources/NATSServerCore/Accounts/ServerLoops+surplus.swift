/// Accounts that have more connections than they may.
extension ServerLoops {
    /// Closes those of an account's connections that came last, if there are too many together with those on other servers.
    func closeSurplus(of account: Account) {
        guard account.isTooFull else { return }
        self.collect { loop in
            loop.connections.values.filter { $0.phase == .open && $0.account === account }.map { ($0.accepted, $0.id) }
        } completion: { answers in
            // There may be room for them by now.
            guard account.isTooFull else { return }
            let room = max(0, account.limits.maxConnections - account.remoteConnectionCount)
            let surplus = Set(answers.joined().sorted { $0 < $1 }.dropFirst(room).map(\.1))
            self.tell { loop in loop.close(surplus, of: account) }
        }
    }
}

extension ServerLoop {
    fileprivate func close(_ surplus: Set<UInt64>, of account: Account) {
        for connection in Array(self.connections.values)
        where connection.account === account && surplus.contains(connection.id) {
            connection.accountIsTooFull()
        }
    }
}
