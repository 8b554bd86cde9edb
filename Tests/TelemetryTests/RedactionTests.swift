import Testing

@testable import Telemetry

@Suite struct RedactionTests {
    private func hidden(_ query: String, _ names: [String]? = nil) -> String {
        var text: [UInt8] = []
        Array(query.utf8).withUnsafeBytes {
            Redaction.hideValues(of: $0, named: names?.map { Array($0.utf8) }, into: &text)
        }
        return String(decoding: text, as: UTF8.self)
    }

    @Test(arguments: [
        ("", ""), ("a=1", "a=…"), ("a=1&b=2", "a=…&b=…"), ("a=1&&b=", "a=…&&b=…"), ("secret", "…"),
        ("a=1=2", "a=…"), ("=1", "=…"), ("a=1;b=2", "a=…;b=…"),
    ])
    func aQueryKeepsItsNames(query: String, expected: String) {
        #expect(hidden(query) == expected)
    }

    @Test(arguments: [
        ("token=1&a=2", "token=…&a=2"), ("a=2&token=1", "a=2&token=…"), ("%74oken=1", "%74oken=…"),
        ("to%6Ben=1", "to%6Ben=…"), ("Token=1", "Token=1"), ("tokens=1", "tokens=1"), ("toke=1", "toke=1"),
        ("a=1;token=2", "a=1;token=…"), ("token", "…"), ("a%20b=1", "a%20b=…"), ("a+b=1", "a+b=…"), ("%=1", "%=1"),
        ("%7=1&token=2&token=3", "%7=1&token=…&token=…"),
    ])
    func parametersAreFoundHoweverTheyAreWritten(query: String, expected: String) {
        #expect(hidden(query, ["token", "a b"]) == expected)
    }

    @Test func aWordStandsForOneValue() {
        func word(_ text: String) -> [UInt8] {
            var word: [UInt8] = []
            Array(text.utf8).withUnsafeBytes { Redaction.word(for: $0, into: &word) }
            return word
        }
        #expect(word("acme") == word("acme") && word("acme") != word("globex"))
        #expect(word("").count == 16 && word("acme").allSatisfy { "0123456789abcdef".utf8.contains($0) })
    }
}
