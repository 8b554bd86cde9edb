/// Makes messages that are slightly wrong, or right in an unusual way, from a corpus of others.
package struct Mutator {
    private let corpus: [[UInt8]]
    private var random: SeededGenerator

    private static let bytes: [UInt8] =
        [0, 1, 8, 9, 10, 11, 12, 13, 31, 32, 127, 128, 160, 255] + Array(":;,=\"\\/?#%+-_.*[]@0159afFzZ".utf8)

    private static let pieces: [[UInt8]] = [
        "\r\n", "\n", "\r", "\r\n\r\n", "\n\n", " ", "\t", "\r\n ", "\u{0}", "\u{b}", ",", ";", ":", "0", "00", "1",
        "5", "a",
        "0\r\n\r\n", "0\r\n", "5\r\nhello\r\n", "1\r\n", ";a", ";a=b", ";a=\"b\\\"\"", "\r\nX: y", "\r\nX : y",
        "\r\nX:y\t",
        "\r\nContent-Length: 5", "\r\nContent-Length: 0", "\r\nContent-Length:05", "\r\ncontent-length: 4 ",
        "\r\nContent_Length: 3",
        "\r\nTransfer-Encoding: chunked", "\r\ntransfer-encoding:Chunked\t", "\r\nTransfer-Encoding: identity",
        "\r\nTransfer-Encoding: gzip, chunked", "\r\nConnection: close", "\r\nConnection: keep-alive",
        "\r\nConnection: a,, close ,",
        "\r\nConnection: TE", "\r\nProxy-Connection: keep-alive", "\r\nHost: b", "\r\nExpect: 100-continue",
        "\r\nConnection: upgrade\r\nUpgrade: x",
        "HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", " 204 ",
        " 304 ", " 100 ",
    ].map { Array($0.utf8) }

    package init(_ corpus: [String], seed: UInt64) {
        self.corpus = corpus.map { Array($0.utf8) }
        random = SeededGenerator(seed: seed)
    }

    /// From `WEIR_TEST_MUTATIONS`, or `usual`.
    package static func rounds(usual: Int) -> Int { TestEnvironment["WEIR_TEST_MUTATIONS"].flatMap(Int.init) ?? usual }

    package mutating func next() -> [UInt8] {
        var bytes = corpus.randomElement(using: &random)!
        for _ in 0..<Int.random(in: 1...3, using: &random) { mutate(&bytes) }
        return bytes
    }

    private mutating func mutate(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1...6, using: &random))
        switch Int.random(in: 0..<10, using: &random) {
        case 0, 1: bytes.insert(Self.bytes.randomElement(using: &random)!, at: place)
        case 2: if place < bytes.count { bytes[place] = Self.bytes.randomElement(using: &random)! }
        case 3: if place < bytes.count { bytes[place] ^= 0x20 }
        case 4: bytes.removeSubrange(place..<end)
        case 5: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 6: bytes.insert(contentsOf: Self.pieces.randomElement(using: &random)!, at: place)
        case 7, 8:
            // At the end of a line, where most pieces make sense.
            let line = bytes[place...].firstIndex(of: 13) ?? bytes.count
            bytes.insert(contentsOf: Self.pieces.randomElement(using: &random)!, at: line)
        default:
            let other = corpus.randomElement(using: &random)!
            bytes = Array(bytes[..<place]) + other[Int.random(in: 0...other.count, using: &random)...]
        }
    }
}
