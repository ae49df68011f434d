/// The oldest version of the server that an operator wants.
package struct ServerVersionRequirement: Sendable, Equatable {
    package struct Failure: Error, Equatable {
        package let words: String
    }

    package var major = 0
    package var minor = 0
    package var update = 0

    /// No demand.
    package init() {}

    /// Reads `major.minor.update`; an empty text asks for nothing.
    package init(_ text: String) throws(Failure) {
        guard !text.isEmpty else { return }
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3 else {
            throw Failure(words: "asserted server version must be of the form <major>.<minor>.<update>")
        }
        var numbers: [Int] = []
        for part in parts {
            guard let number = Int(part) else {
                throw Failure(words: "asserted server version cant parse \(part) to int")
            }
            numbers.append(number)
        }
        guard numbers.allSatisfy({ $0 >= 0 }) else {
            throw Failure(words: "asserted server version can'b contain negative values: \(text)")
        }
        (self.major, self.minor, self.update) = (numbers[0], numbers[1], numbers[2])
    }
}
