/// Why a load test cannot be run as it was asked for.
package struct LoadError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: Int32, Sendable {
        case failed = 1
        /// What was asked for cannot be meant.
        case usage = 2
    }

    package let code: Code
    /// One or more sentences for people, with what would do.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }

    static func usage(_ message: String) -> LoadError { LoadError(.usage, message) }
    static func failed(_ message: String) -> LoadError { LoadError(.failed, message) }
}
