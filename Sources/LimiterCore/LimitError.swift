/// What is wrong with a limit as it was declared, and what would do.
package struct LimitError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case invalidRate
        case inexactRate
        case invalidName
        case invalidDimension
        case invalidBurst
        case invalidCost
        case invalidMaximumKeys
        case missing
        /// Something of this name is not there.
        case unknown
        case conflict
        case notBuilt
    }

    package let code: Code
    /// One sentence or two for people: what was found, and what would do.
    package let message: String
    /// The declaration's key that is at fault (`rate`, `per`, ...), so that a reader can point at its line; nil: the whole.
    package let key: String?

    package init(_ code: Code, _ message: String, key: String? = nil) {
        self.code = code
        self.message = message
        self.key = key
    }

    package var description: String { message }
}
