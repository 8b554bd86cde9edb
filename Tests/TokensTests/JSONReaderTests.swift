import TestSupport
import Testing

@testable import Tokens

struct JSONReaderTests {
    private func read(_ text: String) -> JSONValue? { JSONReader.read(Array(text.utf8)) }

    @Test func valuesOfEveryKindAreRead() {
        #expect(read(" null ") == .null)
        #expect(read("true") == .bool(true))
        #expect(read(#""a\u00e9\n\ud83d\ude00\/""#)?.string == Array("aé\n😀/".utf8))
        #expect(read("[1, [], {}]")?.array?.count == 3)
        #expect(read(#"{"a":{"b":"c"}}"#)?.object?["a"]?.object?["b"]?.string == Array("c".utf8))
        #expect(read(#"{"a":1}"#)?.object?["b"] == nil)
    }

    @Test(arguments: [
        "", " ", "{", "}", "[1,]", "[,1]", "{,}", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{a:1}"#, "'a'", "tru", "True",
        "nul", "NaN", "Infinity", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "0x10", "1 2", "{} {}", "[1}",
        #""a"#,
        "\"a\nb\"", "\"\t\"", #""\x""#, #""\u12""#, #""\u12g4""#, #""\ud800""#, #""\udc00""#, #""\ud800\u0041""#,
        #""\ud800x""#, #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, #"{"x":{"a":1,"a":1}}"#, "//a\n1", "\u{feff}1",
    ])
    func whatIsNotJSONIsRefused(text: String) { #expect(read(text) == nil) }

    @Test func bytesThatAreNotUTF8AreRefused() {
        for bytes: [UInt8] in [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]] {
            #expect(JSONReader.read([0x22] + bytes + [0x22]) == nil)
        }
    }

    @Test func depthIsBounded() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(read(nested(JSONReader.deepest)) != nil)
        #expect(read(nested(JSONReader.deepest + 1)) == nil)
        #expect(read(String(repeating: "[", count: 1_000_000)) == nil)
        #expect(read(String(repeating: "{\"a\":", count: 100_000)) == nil)
    }

    @Test(
        arguments: [
            ("0", 0, 0), ("-0", 0, 0), ("1700000000", 1_700_000_000, 1_700_000_000_000), ("-1", -1, -1000),
            ("1.5", nil, 1500), ("1.0009", nil, 1000), ("-1.0009", nil, -1000), ("1.7E9", nil, 1_700_000_000_000),
            ("17e+8", nil, 1_700_000_000_000), ("170000000000e-2", nil, 1_700_000_000_000), ("1e-400", nil, 0),
            ("0e999999999999", nil, 0), ("1e400", nil, nil), ("-1e400", nil, nil), ("1e999999999999999999", nil, nil),
            ("9223372036854775807", .max, nil), ("9223372036854775808", nil, nil), ("-9223372036854775808", .min, nil),
            ("1e15", nil, 1_000_000_000_000_000_000), ("1e16", nil, nil),
            ("0.0000000000000000000001e25", nil, 1_000_000),
        ] as [(String, Int64?, Int64?)])
    func numbersAreExactOrNotThere(text: String, integer: Int64?, thousandths: Int64?) throws {
        guard case .number(let number)? = read(text) else {
            Issue.record("\(text) is a number")
            return
        }
        #expect(number.integer == integer)
        #expect(number.thousandths == thousandths)
    }

    /// Whatever comes, reading ends, and what is read is one value.
    @Test func randomBytesDoNoHarm() {
        var random = SeededGenerator()
        let alphabet = Array(#"{}[]",:\u0012eE+-.truefalsn "#.utf8) + [0x00, 0x80, 0xc3, 0xa9, 0xff]
        for _ in 0..<20_000 {
            let length = Int.random(in: 0...40, using: &random)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &random)! }
            if let value = JSONReader.read(bytes) {
                #expect(JSONReader.read([0x5b] + bytes + [0x5d])?.array == [value])
            }
        }
    }

    @Test func base64URLHasOneTextForEachSequenceOfBytes() {
        for count in 0...70 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 200) }
            #expect(Base64URL.decode(Base64URL.encode(bytes)) == bytes)
        }
        for text in ["A", "AAAAA", "AA=", "AA==", "A+A=", "AA+A", "AA/A", "AA A", "AAA\n", "AB", "AAB", "é"] {
            #expect(Base64URL.decode(Array(text.utf8)) == nil, "\(text)")
        }
        #expect(Base64URL.decode(Array("AA".utf8)) == [0])
        #expect(Base64URL.decode(Array("_-8".utf8)) == [0xff, 0xef])
    }
}
