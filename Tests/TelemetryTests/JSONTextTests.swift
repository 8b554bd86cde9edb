import Foundation
import TestSupport
import Testing

@testable import Telemetry

@Suite struct JSONTextTests {
    private func encode(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        bytes.withUnsafeBytes { JSONText.append($0, to: &text) }
        return text
    }

    private func decode(_ text: [UInt8]) throws -> String {
        try JSONDecoder().decode(String.self, from: Data(text))
    }

    @Test(arguments: [
        ("", "\"\""),
        ("plain", "\"plain\""),
        ("a\"b\\c", "\"a\\\"b\\\\c\""),
        ("\n\r\t\u{0}\u{1f}", "\"\\n\\r\\t\\u0000\\u001f\""),
        ("\u{7f}\u{85}\u{9b}", "\"\\u007f\\u0085\\u009b\""),
        ("zürich 🦦", "\"zürich 🦦\""),
    ])
    func aValueIsEscaped(value: String, json: String) throws {
        let text = encode(Array(value.utf8))
        #expect(String(decoding: text, as: UTF8.self) == json)
        #expect(try decode(text) == value)
    }

    @Test(
        arguments: [
            [0xFF], [0xC0, 0xAF], [0xC2], [0xE2, 0x82], [0xE2, 0x82, 0x41], [0xED, 0xA0, 0x80], [0xF0, 0x9F, 0x92],
            [0xF4, 0x90, 0x80, 0x80], [0x41, 0x80, 0x42], [0xF5, 0x80], [0xE0, 0x80, 0x80],
        ] as [[UInt8]])
    func whatIsNotUTF8IsReplacedAsSwiftDoes(bytes: [UInt8]) throws {
        #expect(try decode(encode(bytes)) == String(decoding: bytes, as: UTF8.self))
    }

    @Test func randomBytesAlwaysMakeAString() throws {
        var generator = SeededGenerator()
        for _ in 0..<3000 {
            let count = Int.random(in: 0...40, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(try decode(encode(bytes)) == String(decoding: bytes, as: UTF8.self))
        }
    }

    @Test(arguments: [("a", 1), ("é", 2), ("€", 3), ("🦦", 4)])
    func aLongValueIsCutAtACharacter(character: String, width: Int) throws {
        for shift in 0..<width {
            let value = String(repeating: "x", count: shift) + String(repeating: character, count: 2000)
            let text = try decode(encode(Array(value.utf8)))
            #expect(text.hasSuffix("…"))
            #expect(value.hasPrefix(text.dropLast()))
            #expect((JSONText.maximumBytes - 3...JSONText.maximumBytes).contains(text.utf8.count - 3))
        }
        let exact = String(repeating: "y", count: JSONText.maximumBytes)
        #expect(try decode(encode(Array(exact.utf8))) == exact)
    }

    @Test func aLongRunOfContinuationBytesIsCutToo() throws {
        let text = try decode(encode([UInt8](repeating: 0x80, count: 5000)))
        #expect(text.hasSuffix("…"))
        #expect(text.unicodeScalars.count <= JSONText.maximumBytes + 1)
    }
}
