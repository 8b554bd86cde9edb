package import NIOCore

/// A response's status and fields, as offsets over the bytes received.
package struct ResponseHead: ~Copyable, Sendable {
    /// 100...599, and never 101.
    package internal(set) var status: Int
    package internal(set) var version: Version
    /// May be empty.
    package internal(set) var reason: ByteRange
    package internal(set) var framing: Framing
    /// Whether the connection can carry another request once this response has been read to its end.
    package internal(set) var keepAlive: Bool
    package var fields: HeadFields

    package init() {
        status = 200
        version = .http11
        reason = .empty
        framing = .none
        keepAlive = true
        fields = HeadFields()
    }

    /// 1xx: another response to the same request follows.
    package var isInterim: Bool { status < 200 }

    /// All bytes of the head, its empty line included.
    package var bytes: ByteBuffer { fields.bytes }

    /// Lets go of the received bytes, keeps the room for fields.
    package mutating func clear() {
        fields.clear()
        reason = .empty
    }
}
