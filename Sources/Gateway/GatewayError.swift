/// Why the gateway cannot start.
package struct GatewayError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case addressInUse
        case addressNotAvailable
        case permissionDenied
        case listenFailed
        case invalidTrustRoots
    }

    package let code: Code
    /// A sentence for people: what happened, and what would do.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
