import HTTPWire
import NIOCore
import TestSupport
import Testing

@Suite struct QueryParametersTests {
    private func parts(_ query: String) -> [[String]] {
        Array(query.utf8).withUnsafeBytes { bytes in
            var parameters = QueryParameters(bytes)
            var list: [[String]] = []
            while let next = parameters.next() {
                list.append([next.name, next.value, next.whole].map { String(decoding: bytes[$0], as: UTF8.self) })
            }
            return list
        }
    }

    @Test(arguments: [
        ("", []), ("?", []), ("?&&", []), ("?a", [["a", "", "a"]]), ("?a=", [["a", "", "a="]]),
        ("?a=1&&b=2=3&", [["a", "1", "a=1"], ["b", "2=3", "b=2=3"]]), ("?=x", [["", "x", "=x"]]),
        ("?a;b=1", [["a;b", "1", "a;b=1"]]),
    ])
    func aQueryIsReadParameterByParameter(query: String, parameters: [[String]]) { #expect(parts(query) == parameters) }

    @Test(arguments: [
        ("a", "a", true), ("%61", "a", true), ("a+b", "a b", true), ("%2B", "+", true), ("%", "%", true),
        ("%4", "%4", true),
        ("%zz", "%zz", true), ("a%", "a%", true), ("ab", "a", false), ("a", "ab", false), ("A", "a", false),
        ("", "", true),
        ("%c3%A9", "é", true), ("%2561", "a", false), ("%2561", "%61", true),
    ])
    func partsAreComparedOnceDecoded(part: String, text: String, same: Bool) {
        #expect(Array(part.utf8).withUnsafeBytes { QueryParameters.isSame($0, Array(text.utf8)) } == same)
    }

    @Test func whatIsEncodedIsTheSameOnceDecoded() {
        var random = SeededGenerator()
        for _ in 0..<500 {
            let text = (0..<Int.random(in: 0...20, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            var encoded = ByteBuffer()
            text.withUnsafeBytes { bytes in
                encoded.append(atMost: text.count * 3 + 1) { $0.write(percentEncoding: bytes) }
            }
            #expect(encoded.withUnsafeReadableBytes { QueryParameters.isSame($0, text) }, "\(text)")
            #expect(!encoded.readableBytesView.contains { $0 == UInt8(ascii: "&") || $0 < 0x21 })
        }
    }

    @Test func aFieldsValueHasNoControlCharacters() {
        var out = ByteBuffer()
        let bytes = Array(UInt8.min...UInt8.max)
        bytes.withUnsafeBytes { bytes in out.append(atMost: 256) { $0.write(fieldValue: bytes) } }
        #expect(Array(out.readableBytesView) == bytes.filter { $0 >= 0x20 && $0 != 0x7f })
    }
}
