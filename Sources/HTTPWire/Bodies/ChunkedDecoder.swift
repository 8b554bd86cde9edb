package import NIOCore

/// Checks a chunked body and yields it as slices of the buffers it came in, without copying.
///
/// Chunk extensions and trailers are checked and dropped. What is left of valid framing without them is valid framing, so
/// a body can be forwarded in chunks as it came: `.framing` yields chunk sizes, data and line ends as they are, whole runs
/// of chunks at a time. `.payload` yields the data alone.
package struct ChunkedDecoder: Sendable {
    package enum Output: Sendable {
        case framing, payload
    }

    /// Extensions of all chunks together may have so many bytes, and one more for every eight bytes of data.
    static let maxExtensionBytes: Int64 = 1024
    static let maxTrailerBytes: Int64 = 8192

    enum State: UInt8, Sendable {
        case sizeStart, size, sizeLineFeed
        case extensionStart, extensionName, extensionValueStart, extensionValue
        case extensionQuoted, extensionEscaped, extensionQuotedEnd
        case data, dataCarriageReturn, dataLineFeed
        case trailerStart, trailerName, trailerValue, trailerLineFeed, endLineFeed
        case ended
    }

    private let output: Output
    private var state = State.sizeStart
    private var digits: UInt8 = 0
    /// Of the chunk at hand: its size while that is read, then what is left of its data.
    private var remaining: Int64 = 0
    private var extensionBytes: Int64 = 0
    private var trailerBytes: Int64 = 0
    private var trailerName = TrailerNameHash()
    /// Data so far, framing not counted.
    package private(set) var payloadBytes: Int64 = 0

    package init(yielding output: Output) { self.output = output }

    package var isAtEnd: Bool { state == .ended }

    /// The next run of bytes to forward, read from `buffer`; nil where more bytes are needed, or at the end. Everything that
    /// belongs to the body is taken from `buffer`, nothing that follows it.
    package mutating func next(_ buffer: inout ByteBuffer) throws(WireError) -> ByteBuffer? {
        while state != .ended, buffer.readableBytes > 0 {
            var run = 0..<0
            let consumed = try buffer.withUnsafeReadableBytes { bytes throws(WireError) -> Int in
                try advance(bytes, &run)
            }
            let slice = run.isEmpty ? nil : buffer.getSlice(at: buffer.readerIndex + run.lowerBound, length: run.count)
            buffer.moveReaderIndex(forwardBy: consumed)
            if let slice { return slice }
        }
        return nil
    }

    /// Reads until a run to forward is complete or the bytes end; returns how many were read.
    private mutating func advance(
        _ bytes: UnsafeRawBufferPointer, _ run: inout Range<Int>
    ) throws(WireError) -> Int {
        var offset = 0
        var runStart = -1
        while offset < bytes.count, state != .ended {
            if state == .data {
                if runStart < 0 { runStart = offset }
                let taken = Int(min(remaining, Int64(bytes.count - offset)))
                offset += taken
                remaining -= Int64(taken)
                payloadBytes += Int64(taken)
                if remaining == 0 { state = .dataCarriageReturn }
            } else {
                let isKept = try step(bytes[offset]) && output == .framing
                if isKept {
                    if runStart < 0 { runStart = offset }
                } else if runStart >= 0 {
                    run = runStart..<offset
                    return offset + 1
                }
                offset += 1
            }
        }
        if runStart >= 0 { run = runStart..<offset }
        return offset
    }

    /// Takes one byte that is not data; true where it belongs to the framing that is left when extensions and trailers are
    /// dropped.
    @inline(__always)
    private mutating func step(_ byte: UInt8) throws(WireError) -> Bool {
        switch state {
        case .sizeStart, .size:
            return try stepSize(byte)
        case .sizeLineFeed:
            try expect(byte, .lineFeed)
            state = remaining > 0 ? .data : .trailerStart
            return true
        case .dataCarriageReturn:
            try expect(byte, .carriageReturn)
            state = .dataLineFeed
            return true
        case .dataLineFeed:
            try expect(byte, .lineFeed)
            state = .sizeStart
            return true
        case .trailerStart, .trailerName, .trailerValue, .trailerLineFeed, .endLineFeed:
            return try stepTrailer(byte)
        case .data, .ended:
            return false
        default:
            return try stepExtension(byte)
        }
    }

    @inline(__always)
    private func expect(_ byte: UInt8, _ expected: UInt8) throws(WireError) {
        guard byte == expected else { throw WireError(.badChunk) }
    }

    @inline(__always)
    private mutating func stepSize(_ byte: UInt8) throws(WireError) -> Bool {
        if let digit = ByteClass.hexValue(byte) {
            if state == .sizeStart {
                digits = 0
                remaining = 0
                state = .size
            }
            // 15 digits are under 2^60.
            guard digits < 15 else { throw WireError(.badChunk) }
            digits += 1
            remaining = remaining << 4 | Int64(digit)
            return true
        }
        guard state == .size else { throw WireError(.badChunk) }
        if byte == .carriageReturn {
            state = .sizeLineFeed
            return true
        }
        try expect(byte, UInt8(ascii: ";"))
        state = .extensionStart
        return false
    }

    /// `;name`, `;name=token` or `;name="quoted"`, without blanks.
    private mutating func stepExtension(_ byte: UInt8) throws(WireError) -> Bool {
        extensionBytes += 1
        guard extensionBytes <= Self.maxExtensionBytes + payloadBytes / 8 else { throw WireError(.trailersTooLarge) }
        let isToken = ByteClass.table[Int(byte)] & ByteClass.token != 0
        switch (state, byte) {
        case (.extensionStart, _) where isToken: state = .extensionName
        case (.extensionName, _) where isToken: break
        case (.extensionName, UInt8(ascii: "=")): state = .extensionValueStart
        case (.extensionValueStart, UInt8(ascii: "\"")): state = .extensionQuoted
        case (.extensionValueStart, _) where isToken: state = .extensionValue
        case (.extensionValue, _) where isToken: break
        case (.extensionQuoted, UInt8(ascii: "\"")): state = .extensionQuotedEnd
        case (.extensionQuoted, UInt8(ascii: "\\")): state = .extensionEscaped
        case (.extensionQuoted, .tab), (.extensionQuoted, 0x20...0x7e), (.extensionQuoted, 0x80...): break
        case (.extensionEscaped, .tab), (.extensionEscaped, 0x20...0x7e), (.extensionEscaped, 0x80...):
            state = .extensionQuoted
        case (.extensionName, .carriageReturn), (.extensionValue, .carriageReturn),
            (.extensionQuotedEnd, .carriageReturn):
            state = .sizeLineFeed
            return true
        case (.extensionName, UInt8(ascii: ";")), (.extensionValue, UInt8(ascii: ";")),
            (.extensionQuotedEnd, UInt8(ascii: ";")):
            state = .extensionStart
        default: throw WireError(.badChunk)
        }
        return false
    }

    private mutating func stepTrailer(_ byte: UInt8) throws(WireError) -> Bool {
        switch state {
        case .trailerStart where byte == .carriageReturn:
            state = .endLineFeed
            return true
        case .endLineFeed:
            try expect(byte, .lineFeed)
            state = .ended
            return true
        default:
            break
        }
        trailerBytes += 1
        guard trailerBytes <= Self.maxTrailerBytes else { throw WireError(.trailersTooLarge) }
        switch state {
        case .trailerStart, .trailerName:
            if byte == UInt8(ascii: ":"), state == .trailerName {
                guard !trailerName.isFramingField else { throw WireError(.badChunk) }
                state = .trailerValue
            } else {
                guard ByteClass.table[Int(byte)] & ByteClass.token != 0 else { throw WireError(.badChunk) }
                if state == .trailerStart { trailerName = TrailerNameHash() }
                trailerName.append(byte)
                state = .trailerName
            }
        case .trailerValue:
            if byte == .carriageReturn {
                state = .trailerLineFeed
            } else {
                guard byte == .tab || (byte >= 0x20 && byte != 0x7f) else { throw WireError(.badChunk) }
            }
        default:
            try expect(byte, .lineFeed)
            state = .trailerStart
        }
        return false
    }
}
