import Foundation

extension Report {
    /// JSON, keys in snake_case and sorted.
    package func json() throws(LoadError) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(self), as: UTF8.self)
        } catch { throw .failed("the report cannot be written as JSON: \(error)") }
    }
}
