/// A URL of a configuration, taken apart as far as a server needs it.
package struct ConfigurationURL: Sendable, Hashable {
    /// As written, without surrounding white space. May hold a password: never log it.
    package var text: String
    package var scheme: String
    package var user: String?
    package var password: String?
    /// Without brackets.
    package var host: String
    package var port: Int?
    package var path: String
}
