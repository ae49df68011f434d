import Logging
import NATSWire
import NIOCore

/// How many subscriptions of clients, and of leaf nodes, a subject has, here and on the other servers.
extension SystemService {
    /// Those of this server, with wildcards or without.
    private func subscribers(of subject: String, queue: String?, in account: Account) -> Int {
        let bytes = Array(subject.utf8)
        let isLiteral = bytes.withUnsafeBytes { SubjectGrammar.isLiteral($0) }
        func counts(_ other: [UInt8]) -> Bool { queue.map { Array($0.utf8) == other } ?? true }
        if isLiteral {
            return bytes.withUnsafeBufferPointer { subject in
                account.index.withMatch(subject) { match, _ in
                    let plain = queue == nil ? match.plain.count { $0.connection != nil } : 0
                    let local = match.groups.joined().reduce(plain) { $0 + (counts($1.queue) ? 1 : 0) }
                    guard let remote = account.index.remoteMatch(subject)?.interest else { return local }
                    let leafs = queue == nil ? remote.plain.count { $0.isOfLeafNode } : 0
                    return remote.groups.joined().reduce(local + leafs) {
                        $0 + ($1.isOfLeafNode && counts($1.queue) ? 1 : 0)
                    }
                }
            }
        }
        func isIn(_ pattern: [UInt8]) -> Bool {
            SubjectGrammar.isSubset(String(decoding: pattern, as: UTF8.self), of: subject)
        }
        var count = account.index.countRemote { $0.isOfLeafNode && counts($0.queue) && isIn($0.subject) }
        account.index.visit(where: { $0.connection != nil && counts($0.queue) }) { some in
            count += some.count { isIn($0.subject) }
            return true
        }
        return count
    }

    private func tell(_ count: Int, to reply: [UInt8]) {
        self.client.publish(InternalMessage(to: reply, payload: Array("\(count)".utf8)), in: self.account)
    }

    /// nats-server events.go debugSubscribers: the payload is a subject, and perhaps a queue group.
    func countSubscribers(_ request: InternalMessage, of sender: InternalSender?) -> EventLoopFuture<Void>? {
        guard let sender, !request.reply.isEmpty else { return nil }
        let info = ClientInfo(header: request.header)
        let name = info.map { $0.service.isEmpty ? $0.account : $0.service } ?? sender.account
        guard let account = self.shared.accounts[name] else { return nil }
        let words = String(decoding: request.payload, as: UTF8.self).split(separator: " ").map(String.init)
        let (subject, queue) = (words.first ?? "", words.dropFirst().first)
        // That may take a while.
        return self.pageThread.eventLoop?.submit {
            let count = self.subscribers(of: subject, queue: queue, in: account)
            self.countElsewhere(of: subject, queue: queue, in: account, besides: count, to: request.reply)
        }
    }

    /// Asks the other servers that have clients of the account; nobody waits for that.
    private func countElsewhere(
        of subject: String,
        queue: String?,
        in account: Account,
        besides count: Int,
        to reply: [UInt8]
    ) {
        let servers = account.remoteServerCount
        guard servers > 0, let eventLoop = self.eventLoop,
            let question = self.subscriberCounts.ask(besides: count, servers, on: eventLoop)
        else { return self.tell(count, to: reply) }
        question.sum.whenSuccess { self.tell($0, to: reply) }
        let payload = SystemEvents.document { writer in
            writer.write("acc", account.name)
            writer.write("subject", subject)
            // Go writes bytes as base 64.
            if let queue { writer.writeUnlessEmpty("queue", Base64.encode(Array(queue.utf8))) }
        }
        let message = InternalMessage(SystemSubjects.subscriptionCount, reply: question.reply, payload: payload)
        self.client.publish(message, in: self.account)
    }

    /// nats-server events.go nsubsRequest: the same question from another server.
    func countSubscribers(_ request: InternalMessage) -> EventLoopFuture<Void>? {
        guard !request.payload.isEmpty else {
            self.shared.logger.error("SYSTEM - request requires a body")
            return nil
        }
        let subject: String
        let name: String
        let queue: String
        do throws(JSONError) {
            let query = try SystemQuery(request.payload)
            name = try query.string("acc")
            subject = try query.string("subject")
            queue = try query.string("queue")
        } catch {
            self.shared.logger.error("SYSTEM - Error unmarshalling account nsubs request message: \(error)")
            return nil
        }
        guard let account = self.shared.accounts[name], account.isInUse, !request.reply.isEmpty else {
            return nil
        }
        let group = queue.isEmpty ? nil : Base64.decode(queue).map { String(decoding: $0, as: UTF8.self) }
        return self.pageThread.eventLoop?.submit {
            self.tell(self.subscribers(of: subject, queue: group, in: account), to: request.reply)
        }
    }
}
