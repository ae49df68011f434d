/// What the client calls itself in `CONNECT`.
enum ClientVersion {
    static let current = "0.1.0"
}
