import Logging
import NATSWire
import NIOCore

/// Requests about the JWTs of accounts (nats-server events.go accountClaimUpdate, accounts.go DirAccResolver.Start).
extension SystemService {
    /// Listens to what the resolver answers.
    func listenToClaims() {
        guard let operators = self.shared.operators else {
            self.ignore(SystemSubjects.oldClaimsUpdate("*"))
            self.ignore(SystemSubjects.account("*", "CLAIMS.UPDATE"))
            return
        }
        // The account is the fourth word of the one subject, and the third of the other.
        for (subject, place) in [
            (SystemSubjects.oldClaimsUpdate("*"), 2), (SystemSubjects.account("*", "CLAIMS.UPDATE"), 3),
        ] {
            self.answer(subject) { request in
                let key = request.tokens.dropFirst(place).first ?? ""
                return self.answer(request, .update(of: key), operators)
            }
        }
        guard let resolver = operators.resolver, resolver.isDirectory else { return }
        self.answer(SystemSubjects.claims("UPDATE")) { self.answer($0, .update(of: nil), operators) }
        self.answer(SystemSubjects.claims("DELETE")) { self.answer($0, .delete, operators) }
        self.answer(SystemSubjects.claims("LIST")) { request in
            request.reply.isEmpty ? nil : self.answer(request, .list, operators)
        }
        guard resolver.isFull else { return }
        self.answer(SystemSubjects.claims("PACK")) { request in
            request.reply.isEmpty ? nil : self.answer(request, .pack, operators)
        }
        self.answer(SystemSubjects.account("*", "CLAIMS.LOOKUP")) { request in
            guard !request.reply.isEmpty else { return nil }
            return self.answer(request, .lookUp(request.tokens.dropFirst(3).first ?? ""), operators)
        }
    }

    private func answer(
        _ request: InternalMessage,
        _ question: OperatorMode.ClaimsRequest,
        _ operators: OperatorMode
    ) -> EventLoopFuture<Void>? {
        guard let eventLoop = self.eventLoop else { return nil }
        let promise = eventLoop.makePromise(of: Void.self)
        // Without an answer the server ends, and with it whoever waits.
        let wasTaken = operators.answer(question, request.payload) { answer in
            self.send(answer, to: request.reply)
            promise.succeed()
        }
        if !wasTaken { promise.succeed() }
        return promise.futureResult
    }

    private func send(_ answer: OperatorMode.ClaimsAnswer, to reply: [UInt8]) {
        guard !reply.isEmpty else { return }
        switch answer {
        case .none:
            break
        case .messages(let texts):
            for text in texts {
                self.client.publish(InternalMessage(to: reply, payload: Array(text.utf8)), in: self.account)
            }
        case .list(let keys):
            // nats-server accounts.go handleListRequest: a map, whose keys come in order.
            let payload = SystemEvents.document { writer in
                writer.write("data", keys)
                writer.object("server") { self.block.write(to: &$0) }
            }
            self.client.publish(InternalMessage(to: reply, payload: payload), in: self.account)
        case .data(let json):
            self.publishAnswer(to: reply) { $0.write("data", raw: json) }
        case .error(let json):
            self.publishAnswer(to: reply) { $0.write("error", raw: json) }
        }
    }
}
