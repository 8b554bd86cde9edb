import LimiterCore

/// Something that the gateway does for a request: what is timed for people, and counted where the project is checked.
package struct Case: Sendable {
    /// As commands name it: lowercase words and numbers, with hyphens.
    package let name: String
    /// What one call does.
    package let summary: String
    private let setUp: @Sendable () throws -> any Exercise

    private init(_ name: String, _ summary: String, _ setUp: @escaping @Sendable () throws -> any Exercise) {
        self.name = name
        self.summary = summary
        self.setUp = setUp
    }

    /// Puts together what the calls need.
    package func begin() throws -> any Exercise { try setUp() }

    package static let all = [
        Case("decision-1-limit", "a decision in memory, allowed, one limit") {
            try DecisionExercise(SampleLimits(services: 1, limitsEach: 1))
        },
        Case("decision-5-of-10-limits", "the same, five limits of 10 configured ones") {
            try DecisionExercise(SampleLimits(services: 2, limitsEach: 5))
        },
        Case("decision-5-of-10000-limits", "the same, five limits of 10,000 configured ones") {
            try DecisionExercise(SampleLimits(services: 2000, limitsEach: 5))
        },
        Case("decision-tenant-and-everyone", "the same, a limit per tenant and one for everyone") {
            try DecisionExercise(SampleLimits(services: 1, limitsEach: 1, forEveryone: 1))
        },
        Case("decision-refused", "a decision in memory, refused, one limit") {
            try DecisionExercise(SampleLimits(services: 1, limitsEach: 1, rate: "1/day"))
        },
        Case("decision-leased", "a decision of a replica from what it holds, allowed, one limit") {
            try ReplicaExercise(.leased)
        },
        Case("decision-local", "the same where each replica counts alone") { try ReplicaExercise(.local) },
        Case("request-parse", "a request of 10 fields read") { RequestParsing() },
        Case("response-parse", "a response of 8 fields and 100 bytes of body read") { ResponseParsing() },
        Case("request-write", "the forwarded request's line and fields written, its path made canonical") {
            try RequestWriting()
        },
        Case("response-write", "the forwarded response's line and fields written") { ResponseWriting() },
        Case("limit-fields-write", "RateLimit-Policy and RateLimit of two limits written") { try LimitFieldsWriting() },
        Case("route-of-10", "the route found among 10") { try RouteMatching(routes: 10) },
        Case("route-of-10000", "the route found among 10,000") { try RouteMatching(routes: 10_000) },
        Case("route-pattern-of-10", "a pattern found among 10 routes of all kinds, with hosts") {
            try RouteMatching(routes: 10, .mixed)
        },
        Case("route-pattern-of-10000", "a pattern found among 10,000 routes of all kinds, with hosts") {
            try RouteMatching(routes: 10_000, .mixed)
        },
        Case("token-cached", "the caller found by a token that was checked before") { try TokenFinding() },
        Case("token-verify-es256", "a token read and its ES256 signature checked") {
            try TokenChecking(SampleTokens.es256)
        },
        Case("token-verify-rs256", "the same, RS256 with 2048 bits") { try TokenChecking(SampleTokens.rs256) },
        Case("script-encode-1-limit", "a call of the decision script written, one limit") {
            try ScriptEncoding(limits: 1)
        },
        Case("script-encode-5-limits", "the same, five limits") { try ScriptEncoding(limits: 5) },
        Case("reply-decode-1-limit", "the script's reply read and checked, one limit") { try ReplyDecoding(limits: 1) },
        Case("reply-decode-5-limits", "the same, five limits") { try ReplyDecoding(limits: 5) },
    ]
}

/// What one case needs, put together; it makes the calls.
package protocol Exercise: AnyObject {
    func run(calls: Int)

    /// What the last call came to, in words.
    var outcome: String { get }
}
