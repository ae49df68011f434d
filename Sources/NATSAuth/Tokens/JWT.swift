import NATSWire

/// Reading of JWTs (nats-io/jwt Decode), of version 2 and 1.
///
/// What is returned was signed by the issuer that it names. Whether that issuer is trusted, and whether the claims are
/// valid now, is for the caller to find out.
package enum JWT {
    /// Claims of any kind.
    package enum Claims: Sendable, Equatable {
        case `operator`(OperatorClaims)
        case account(AccountClaims)
        case user(UserClaims)
        case activation(ActivationClaims)
        case authorizationRequest(AuthorizationRequestClaims)
        case authorizationResponse(AuthorizationResponseClaims)
        case generic(GenericClaims)

        /// The claims, whatever they are.
        package var any: any ClaimSet {
            switch self {
            case .operator(let claims): claims
            case .account(let claims): claims
            case .user(let claims): claims
            case .activation(let claims): claims
            case .authorizationRequest(let claims): claims
            case .authorizationResponse(let claims): claims
            case .generic(let claims): claims
            }
        }
    }

    /// How every JWT begins: the first bytes of a header in base 64.
    package static let prefix = "eyJ"

    /// Reads a JWT and checks its signature.
    ///
    /// - Throws: ``JWTError`` in the official words.
    package static func decode(_ text: String) throws(JWTError) -> Claims {
        let token = try EncodedJWT(text)
        let (type, version) = try token.typeAndVersion()
        let object = token.claimObject
        var isFirstVersion = version <= 1
        let claims: Claims
        switch type {
        case OperatorClaims.typeName: claims = .operator(try OperatorClaims(object, version: version))
        case AccountClaims.typeName: claims = .account(try AccountClaims(object, version: version))
        case UserClaims.typeName: claims = .user(try UserClaims(object, version: version))
        case ActivationClaims.typeName: claims = .activation(try ActivationClaims(object, version: version))
        case AuthorizationRequestClaims.typeName:
            claims = .authorizationRequest(try AuthorizationRequestClaims(object, version: version))
        case AuthorizationResponseClaims.typeName:
            claims = .authorizationResponse(try AuthorizationResponseClaims(object, version: version))
        case "cluster": throw .obsoleteClaims("ClusterClaims")
        case "server": throw .obsoleteClaims("ServerClaims")
        default:
            // nats-io/jwt loadClaims: claims of other kinds are held to the rules of the first version.
            isFirstVersion = true
            claims = .generic(try GenericClaims(object, version: version))
        }
        let (issuer, issuers) = Self.issuerAndRule(claims.any)
        try token.verify(issuer: issuer, asFirstVersion: isFirstVersion)
        if !issuers.isEmpty, !issuers.contains(where: { NKey.isPublicKey(issuer, of: $0) }) {
            throw .wrongIssuer(expected: issuers)
        }
        return claims
    }

    /// Reads a JWT that must have claims of one kind, and checks its signature.
    ///
    /// - Throws: ``JWTError`` in the official words.
    package static func decode<Wanted: ClaimSet>(_ type: Wanted.Type, from text: String) throws(JWTError) -> Wanted {
        guard let claims = try self.decode(text).any as? Wanted else { throw .wrongClaims(Wanted.refusal) }
        return claims
    }

    private static func issuerAndRule<Found: ClaimSet>(_ claims: Found) -> (issuer: String, issuers: [NKey.Kind]) {
        (claims.issuer, Found.issuers)
    }
}
