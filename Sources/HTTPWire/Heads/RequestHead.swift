package import NIOCore

/// A request's method, target and fields, as offsets over the bytes received.
///
/// One value serves a connection for its life: a parser fills it again for each request without allocating.
package struct RequestHead: ~Copyable, Sendable {
    package internal(set) var method: Method
    package internal(set) var version: Version
    /// As received: path and query, or `scheme://authority` before them, or `*`.
    package internal(set) var target: ByteRange
    package internal(set) var targetForm: TargetForm
    /// `host[:port]` of the absolute form, empty in the other forms. Equal to the Host field, but for the case of letters.
    package internal(set) var authority: ByteRange
    /// Without the query; as received, so not canonical. Empty where an absolute target has none; `*` in that form.
    package internal(set) var path: ByteRange
    /// With its question mark; empty where there is none.
    package internal(set) var query: ByteRange
    package internal(set) var framing: Framing
    /// Whether the client means to send another request on this connection.
    package internal(set) var keepAlive: Bool
    /// The client waits for `100 Continue` before it sends the body. Never in HTTP/1.0.
    package internal(set) var expectsContinue: Bool
    package var fields: HeadFields

    package enum TargetForm: UInt8, Sendable {
        case origin, absolute, asterisk
    }

    package init() {
        method = .get
        version = .http11
        target = .empty
        targetForm = .origin
        authority = .empty
        path = .empty
        query = .empty
        framing = .none
        keepAlive = true
        expectsContinue = false
        fields = HeadFields()
    }

    /// All bytes of the head, its empty line included.
    package var bytes: ByteBuffer { fields.bytes }

    /// Lets go of the received bytes, keeps the room for fields. Whoever is done with a head calls it, so that the buffer
    /// under it can be used again; the offsets mean nothing afterwards.
    package mutating func clear() {
        fields.clear()
        target = .empty
        authority = .empty
        path = .empty
        query = .empty
    }
}
