/// Comparison of secrets.
enum ConstantTime {
    /// Compares in a time that depends on the second text's length only.
    static func areEqual(_ expected: some Collection<UInt8>, _ given: some Collection<UInt8>) -> Bool {
        let expected = Array(expected)
        let given = Array(given)
        var difference: UInt8 = expected.count == given.count ? 0 : 1
        for (index, byte) in given.enumerated() {
            difference |= byte ^ (expected.isEmpty ? 0 : expected[index % expected.count])
        }
        return difference == 0
    }
}
