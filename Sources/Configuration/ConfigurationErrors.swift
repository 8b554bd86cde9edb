/// One fault of a configuration: where it is, what was found there, and what would do.
package struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// nil: the value came from elsewhere, such as a command's argument.
    package var file: String?
    /// From 1; nil: the file as a whole.
    package var line: Int?
    /// In characters, from 1.
    package var column: Int?
    /// For people; never holds a secret.
    package var message: String

    package init(_ message: String, file: String? = nil, line: Int? = nil, column: Int? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// `file:line: message`
    package var description: String {
        guard let file else { return message }
        return line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)"
    }
}

/// Every fault of a configuration, by line.
package struct ConfigurationErrors: Error, Hashable, Sendable, CustomStringConvertible {
    package let errors: [ConfigurationError]

    /// Those of `file` come first.
    package init(_ errors: [ConfigurationError], of file: String? = nil) {
        func place(_ error: ConfigurationError) -> (Int, String, Int, Int, String) {
            (error.file == file ? 0 : 1, error.file ?? "", error.line ?? 0, error.column ?? 0, error.message)
        }
        self.errors = errors.sorted { place($0) < place($1) }
    }

    /// One a line.
    package var description: String { errors.map(\.description).joined(separator: "\n") }
}
