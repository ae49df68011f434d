/// What the header of a request to another account's service tells of the client, as JSON; made once.
struct RequestInfo {
    private var roundTrip: Int64 = 0
    private var plain: [UInt8]?
    private var detailed: [UInt8]?

    /// The text for one who may see this much.
    ///
    /// - Parameters:
    ///   - isDetailed: Whether more is told than the account.
    ///   - roundTrip: The connection's round-trip time, in nanoseconds, which is in the text.
    ///   - make: Makes the text if it is not known.
    /// - Returns: JSON.
    mutating func text(isDetailed: Bool, roundTrip: Int64, make: () -> [UInt8]) -> [UInt8] {
        if self.roundTrip != roundTrip {
            self = RequestInfo()
            self.roundTrip = roundTrip
        }
        if let known = isDetailed ? self.detailed : self.plain { return known }
        let made = make()
        if isDetailed { self.detailed = made } else { self.plain = made }
        return made
    }
}
