import NATSText

/// What only matters to a start, not to `-t`: options that do not go together.
///
/// (nats-server server.go validateOptions and what it calls; the order is theirs.) Options from the command line take
/// part, so this is asked after they were merged.
extension ServerConfiguration {
    /// The official text of the first conflict, `nil` when there is none.
    ///
    /// - Parameter operators: The same for what operators demand, which takes the reading of JWTs.
    /// - Returns: the text.
    package func startFailure(operators: (ServerConfiguration) -> String?) -> String? {
        if self.lameDuckDuration > .zero, self.lameDuckGracePeriod >= self.lameDuckDuration {
            return
                "lame duck grace period (\(GoDuration.text(self.lameDuckGracePeriod))) should be strictly lower than "
                + "lame duck duration (\(GoDuration.text(self.lameDuckDuration)))"
        }
        if self.maxPayload > self.maxPending {
            return "max_payload (\(self.maxPayload)) cannot be higher than max_pending (\(self.maxPending))"
        }
        if self.serverName?.utf8.contains(UInt8(ascii: " ")) == true { return "server name cannot contain spaces" }
        return operators(self) ?? self.leafNodesFailure ?? self.noAuthUserFailure(self.noAuthUser)
            ?? self.gatewayFailure ?? self.clusterFailure ?? self.mqttFailure ?? self.webSocketFailure
            ?? self.systemAccountFailure
    }

    /// All users: of `authorization` and of the accounts.
    package var allUsers: [UserConfiguration] {
        (self.authorization?.users ?? []) + self.accounts.flatMap(\.users)
    }

    private func noAuthUserFailure(_ name: String?) -> String? {
        guard let name else { return nil }
        if !self.operators.isEmpty { return "no_auth_user not compatible with Trusted Operator" }
        let users = self.allUsers
        if users.isEmpty, self.authorization?.users == nil {
            return "no_auth_user: \"\(name)\" present, but users/nkeys are not defined"
        }
        guard !users.contains(where: { $0.identity.name == name }) else { return nil }
        return "no_auth_user: \"\(name)\" not present as user or nkey in authorization block or account configuration"
    }

    /// nats-server leafnode.go validateLeafNode.
    private var leafNodesFailure: String? {
        guard let leafnodes else { return nil }
        let trustsOperators = !self.operators.isEmpty || !self.trustedKeys.isEmpty
        if trustsOperators {
            if leafnodes.authorization?.users.isEmpty == false {
                return "operator mode does not allow specifying users in leafnode config"
            }
            if leafnodes.remotes.contains(where: { !PublicKey.isValid($0.account ?? "", .account) }) {
                return "operator mode requires account nkeys in remotes. "
                    + "Please add an `account` key to each remote in your `leafnodes` section, to assign it to an account. "
                    + "Each account value should be a 56 character public key, starting with the letter 'A'"
            }
            if leafnodes.port != 0, let account = leafnodes.authorization?.account, !account.isEmpty,
                !PublicKey.isValid(account, .account)
            {
                return "operator mode and non account nkeys are incompatible"
            }
        } else if let failure = self.leafAccountFailure(leafnodes) {
            return failure
        }
        for remote in leafnodes.remotes {
            let kinds = Set(remote.urls.map { ["ws", "wss"].contains($0.scheme) })
            guard kinds.count < 2 else {
                return "remote leaf node configuration cannot have a mix of websocket and non-websocket urls"
            }
        }
        return nil
    }

    private func leafAccountFailure(_ leafnodes: LeafNodesConfiguration) -> String? {
        var names: Set<String> = Set(self.accounts.map(\.name)).union(["", "$G"])
        if self.systemAccount == nil, !self.noSystemAccount { names.insert("$SYS") }
        let authorization = leafnodes.authorization
        let wanted =
            [(authorization?.account, "authorization")]
            + (authorization?.users ?? []).map { ($0.account, "authorization") }
            + leafnodes.remotes.map { ($0.account, "remote") }
        for (account, place) in wanted where !names.contains(account ?? "") {
            return "cannot find local account \(GoFormat.quoted(account ?? "")) specified in leafnode \(place)"
        }
        return nil
    }

    private var gatewayFailure: String? {
        guard let gateway, gateway.name != nil || gateway.port != 0 else { return nil }
        guard let name = gateway.name else { return "gateway has no name" }
        if gateway.port == 0 {
            return "gateway \(GoFormat.quoted(name)) has no port specified (select -1 for random port)"
        }
        for (index, remote) in gateway.gateways.enumerated() {
            if remote.name.isEmpty { return "gateway in the list \(index) has no name" }
            if remote.urls.isEmpty { return "gateway \(GoFormat.quoted(remote.name)) has no URL" }
        }
        return nil
    }

    private var clusterFailure: String? {
        if let name = self.gateway?.name, let other = self.cluster?.name, name != other {
            return "cluster name conflicts between cluster and gateway definitions"
        }
        if let cluster, !cluster.accounts.isEmpty, cluster.poolSize < 0 {
            return "pool_size cannot be negative if pinned accounts are specified"
        }
        return nil
    }

    private var mqttFailure: String? {
        guard let mqtt, mqtt.port != 0 else { return nil }
        let isAlone = (self.cluster?.port ?? 0) == 0 && (self.gateway?.port ?? 0) == 0
        if self.serverName == nil, !isAlone { return "mqtt requires server name to be explicitly set" }
        if let failure = self.noAuthUserFailure(mqtt.noAuthUser) { return failure }
        if !self.allUsers.isEmpty {
            if mqtt.authorization?.user != nil {
                return "mqtt authentication username not compatible with presence of users/nkeys"
            }
            if mqtt.authorization?.token != nil {
                return "mqtt authentication token not compatible with presence of users/nkeys"
            }
        }
        if mqtt.ackWait < .zero { return "ack wait must be a positive value" }
        if mqtt.jsAPITimeout < .zero { return "JS API timeout must be a positive value" }
        let hasLeafnodes = (self.leafnodes?.port ?? 0) != 0 || self.leafnodes?.remotes.isEmpty == false
        if self.jetstream?.enabled != true, isAlone, !hasLeafnodes {
            return "mqtt requires JetStream to be enabled if running in standalone mode"
        }
        return nil
    }

    private var webSocketFailure: String? {
        guard let websocket, websocket.port != 0 else { return nil }
        if websocket.tls == nil, !websocket.noTLS { return "websocket requires TLS configuration" }
        if let failure = websocket.allowedOrigins.lazy.compactMap(WebSocketRules.problem(origin:)).first {
            return failure
        }
        if let failure = self.noAuthUserFailure(websocket.noAuthUser) { return failure }
        let credentials = websocket.authorization
        return WebSocketRules.problem(
            hasUsers: !self.allUsers.isEmpty,
            username: credentials?.user,
            token: credentials?.token
        )
            ?? WebSocketRules.problem(
                jwtCookie: websocket.jwtCookie,
                trustsOperators: !self.operators.isEmpty || !self.trustedKeys.isEmpty
            ) ?? WebSocketRules.problem(headers: websocket.headers.keys)
    }

    private var systemAccountFailure: String? {
        guard let systemAccount, self.operators.isEmpty, self.trustedKeys.isEmpty, systemAccount != "$G",
            !self.accounts.contains(where: { $0.name == systemAccount })
        else {
            return nil
        }
        return "error resolving system account: account missing"
    }
}
