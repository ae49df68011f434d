import NATSAuth
package import NATSServerConfig

extension ConfigurationChecks {
    /// Sets the checks of JWTs: form, signature, and whose claims they are.
    package mutating func checkJWTs() {
        self.operatorJWT = { jwt in Self.failure(of: jwt, as: OperatorClaims.self) }
        self.accountJWT = { jwt in Self.failure(of: jwt, as: AccountClaims.self) }
    }

    private static func failure<Claims: ClaimSet>(of jwt: String, as type: Claims.Type) -> String? {
        do throws(JWTError) {
            _ = try JWT.decode(type, from: jwt)
            return nil
        } catch {
            return error.description
        }
    }
}
