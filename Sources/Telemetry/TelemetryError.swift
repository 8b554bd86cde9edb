/// Why something cannot be recorded.
package struct TelemetryError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// The access log's file cannot be opened.
        case cannotOpen
        /// The system gives no thread to write with.
        case noThread
    }

    package let code: Code
    /// One sentence for people.
    package let message: String

    package init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    package var description: String { message }
}
