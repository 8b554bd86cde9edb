import CHiredis
import LimiterCore

/// An answer of any shape, for questions that are asked rarely.
enum RedisValue: Hashable {
    case null
    case integer(Int64)
    case text(String)
    case error(String)
    case array([RedisValue])

    var text: String? { if case .text(let text) = self { text } else { nil } }

    var integer: Int64? { if case .integer(let integer) = self { integer } else { nil } }

    var array: [RedisValue]? { if case .array(let array) = self { array } else { nil } }
}

/// Bytes in, values out, as hiredis reads them.
final class ValueReader {
    private let reader: UnsafeMutablePointer<redisReader>
    private var taken = 0

    /// The map of a thousand nodes has a few hundred kilobytes.
    private static let mostBytes = 8 << 20

    init() {
        guard let reader = redisReaderCreate() else { fatalError("out of memory") }
        self.reader = reader
    }

    deinit { redisReaderFree(reader) }

    /// Returns what these bytes complete. Throws where they break the protocol or are too many.
    func feed(_ bytes: UnsafeRawBufferPointer) throws(StoreError) -> [RedisValue] {
        taken += bytes.count
        guard taken <= Self.mostBytes else {
            throw StoreError(.incompatible, "the server answered more than \(Self.mostBytes >> 20) MiB")
        }
        guard let base = bytes.baseAddress else { return [] }
        guard redisReaderFeed(reader, base.assumingMemoryBound(to: CChar.self), bytes.count) == REDIS_OK else {
            throw Self.broken
        }
        var values: [RedisValue] = []
        while true {
            var object: UnsafeMutableRawPointer?
            guard redisReaderGetReply(reader, &object) == REDIS_OK else { throw Self.broken }
            guard let object else { return values }
            defer { freeReplyObject(object) }
            values.append(Self.value(object.assumingMemoryBound(to: redisReply.self)))
        }
    }

    private static let broken = StoreError(.incompatible, "the server broke the Redis protocol")

    private static func value(_ reply: UnsafeMutablePointer<redisReply>) -> RedisValue {
        switch reply.pointee.type {
        case REDIS_REPLY_INTEGER: return .integer(reply.pointee.integer)
        case REDIS_REPLY_STRING, REDIS_REPLY_STATUS, REDIS_REPLY_ERROR:
            let bytes = UnsafeRawBufferPointer(start: reply.pointee.str, count: Int(reply.pointee.len))
            let text = String(decoding: bytes, as: UTF8.self)
            return reply.pointee.type == REDIS_REPLY_ERROR ? .error(text) : .text(text)
        case REDIS_REPLY_ARRAY:
            return .array(
                (0..<Int(reply.pointee.elements)).map { index in
                    reply.pointee.element[index].map { value($0) } ?? .null
                })
        default: return .null
        }
    }
}
