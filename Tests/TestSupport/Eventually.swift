/// What a test waited for in vain.
package struct NeverHappened: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Polls until `condition` holds; throws `NeverHappened` once `limit` has passed.
package func eventually(
    within limit: Duration = .seconds(10), _ what: String = "the condition",
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    let end = clock.now + limit
    while !(try await condition()) {
        guard clock.now < end else { throw NeverHappened(description: "\(what) did not come true within \(limit)") }
        try await Task.sleep(for: .milliseconds(2))
    }
}
