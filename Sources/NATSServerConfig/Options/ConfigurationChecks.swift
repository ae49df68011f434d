/// Checks that need more than this module has (certificates, signatures, the file system); the caller brings them.
///
/// Each closure answers `nil` when all is well, and otherwise the words that the official server would add.
package struct ConfigurationChecks: Sendable {
    /// Whether a PEM certificate (chain) and its private key can be used together.
    ///
    /// Both files could be read. The text
    /// follows `error parsing X509 certificate/key pair: `.
    package var keyPair: (@Sendable (_ certificate: [UInt8], _ key: [UInt8]) -> String?)?
    /// Whether a PEM file has at least one usable certificate of an authority.
    ///
    /// The text stands alone.
    package var authorities: (@Sendable (_ certificates: [UInt8]) -> String?)?
    /// Whether a text is a valid operator JWT with a good signature.
    ///
    /// The text follows `error parsing operator JWT: `.
    package var operatorJWT: (@Sendable (_ jwt: String) -> String?)?
    /// Whether a text is a valid account JWT with a good signature; the answer is only looked at for `nil`.
    package var accountJWT: (@Sendable (_ jwt: String) -> String?)?
    /// Whether the directory of a resolver can be used.
    ///
    /// The text stands alone.
    package var resolverDirectory: (@Sendable (_ path: String) -> String?)?

    /// Checks without the closures: what can be told from names and file texts is still checked.
    package init() {}
}
