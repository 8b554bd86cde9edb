import CHiredis
package import LimiterCore

/// What Redis answered, as views of memory that the next reply overwrites.
package struct Reply {
    enum Kind {
        case integer
        case array
        case string
        case status
        case error
        case other
    }

    let kind: Kind
    /// The one integer, or those of an array.
    let integers: UnsafeBufferPointer<Int64>
    /// The string, status or error, or the first string of an array, cut at 16 KiB, which is more than any `INFO` of one section.
    let text: UnsafeRawBufferPointer
    /// An array that holds anything but integers, or too many of them.
    let isIrregular: Bool

    /// Whether this is an array of so many integers, no more and no fewer.
    func isIntegers(_ count: Int) -> Bool { kind == .array && !isIrregular && integers.count == count }
}

/// Bytes in, replies out: hiredis parses, into memory that is allocated once.
///
/// One a connection; it lives on the connection's event loop.
package final class ReplyReader {
    /// An array of more integers than this is irregular.
    static let mostIntegers = 8 + 4 * DecisionFormat.mostLimits
    private static let mostText = 16_384
    /// hiredis moves what is left of its buffer forward after each kilobyte that it has read, so it gets small pieces.
    private static let pieceBytes = 4096
    /// No reply is nearly so long; a peer that never ends one shall not fill the memory.
    private static let mostWaitingBytes = 1 << 20

    private let reader: UnsafeMutablePointer<redisReader>
    private let sink: UnsafeMutablePointer<weir_reply>
    private let integers: UnsafeMutablePointer<Int64>
    private let text: UnsafeMutablePointer<CChar>

    package init() {
        integers = .allocate(capacity: Self.mostIntegers)
        text = .allocate(capacity: Self.mostText)
        sink = .allocate(capacity: 1)
        sink.initialize(to: weir_reply())
        sink.pointee.integers = integers
        sink.pointee.integer_capacity = Int64(Self.mostIntegers)
        sink.pointee.text = text
        sink.pointee.text_capacity = Int64(Self.mostText)
        guard let reader = weir_reader_create(sink) else { fatalError("out of memory") }
        self.reader = reader
    }

    deinit {
        redisReaderFree(reader)
        sink.deallocate()
        integers.deallocate()
        text.deallocate()
    }

    /// Reads `bytes` to their end and hands out each reply that they complete; `take` returns whether to go on.
    /// Throws `.incompatible` where they break the protocol: nothing after that can be read.
    package func feed(_ bytes: UnsafeRawBufferPointer, _ take: (Reply) -> Bool) throws(StoreError) {
        var offset = 0
        while offset < bytes.count {
            let piece = min(Self.pieceBytes, bytes.count - offset)
            let start = bytes.baseAddress! + offset
            guard redisReaderFeed(reader, start.assumingMemoryBound(to: CChar.self), piece) == REDIS_OK else {
                throw protocolError
            }
            offset += piece
            while true {
                let result = weir_reader_next(reader)
                guard result >= 0 else { throw protocolError }
                guard result > 0 else { break }
                guard take(reply) else { return }
            }
            guard weir_reader_waiting(reader) <= Self.mostWaitingBytes else {
                throw StoreError(.incompatible, "the server began a reply of more than a megabyte")
            }
        }
    }

    private var reply: Reply {
        Reply(
            kind: kind,
            integers: UnsafeBufferPointer(start: integers, count: Int(sink.pointee.integer_count)),
            text: UnsafeRawBufferPointer(start: text, count: Int(sink.pointee.text_count)),
            isIrregular: sink.pointee.is_irregular != 0)
    }

    private var kind: Reply.Kind {
        switch weir_reply_kind(UInt32(sink.pointee.kind)) {
        case WEIR_REPLY_INTEGER: .integer
        case WEIR_REPLY_ARRAY: .array
        case WEIR_REPLY_STRING: .string
        case WEIR_REPLY_STATUS: .status
        case WEIR_REPLY_ERROR: .error
        default: .other
        }
    }

    private var protocolError: StoreError {
        let message = withUnsafeBytes(of: &reader.pointee.errstr) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        return StoreError(.incompatible, "the server broke the Redis protocol: \(message)")
    }
}
