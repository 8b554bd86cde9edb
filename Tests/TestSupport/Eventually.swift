/// What a test waited for in vain.
package struct NeverHappened: Error, CustomStringConvertible {
    package let description: String

    package init(description: String) { self.description = description }
}

/// Polls until `condition` holds; throws `NeverHappened` once `limit` has passed, and half a second more.
package func eventually(
    within limit: Duration = .seconds(10), _ what: String = "the condition",
    isolation: isolated (any Actor)? = #isolation,
    _ condition: () async throws -> Bool
) async throws {
    let clock = ContinuousClock()
    var end = clock.now + limit
    var isExtended = false
    while !(try await condition()) {
        if clock.now >= end {
            guard !isExtended else { throw NeverHappened(description: "\(what) did not come true within \(limit)") }
            // Where the whole machine stood still, what is waited for gets some time of its own.
            isExtended = true
            end = clock.now + .milliseconds(500)
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}
