/// A condition did not become true in time.
package struct ConditionNotMet: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) {
        self.description = description
    }
}

/// Returns as soon as the condition holds; for conditions that nothing announces, so it asks again every 5 ms.
///
/// - Throws: ``ConditionNotMet`` after `timeout`, what `condition` throws, and `CancellationError`.
package func eventually(
    _ what: String = "condition",
    timeout: Duration = .seconds(120),
    fileID: String = #fileID,
    line: Int = #line,
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while !(try await condition()) {
        guard ContinuousClock.now < deadline else {
            throw ConditionNotMet(description: "\(what) not met within \(timeout) at \(fileID):\(line)")
        }
        try await Task.sleep(for: .milliseconds(5))
    }
}
