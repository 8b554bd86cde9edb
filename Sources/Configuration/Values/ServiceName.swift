import LimiterCore

/// Names of services and of routes.
enum ServiceName {
    /// `whose`: "a service's" or "a route's".
    static func check(_ text: String, _ whose: String) throws(ConfigurationError) -> String {
        guard LimitDeclaration.isValidName(text) else {
            throw ConfigurationError("`\(text)` cannot be \(whose) name; use 1 to 64 of a-z, 0-9, _ and -")
        }
        return text
    }
}
