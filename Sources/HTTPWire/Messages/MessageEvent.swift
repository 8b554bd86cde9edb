package import NIOCore

/// What a reader came upon next.
package enum MessageEvent: Sendable {
    /// The reader's `head` is complete.
    case head
    /// The next bytes of the body, never empty.
    case body(ByteBuffer)
    /// The message is complete. The reader's `head` stays as it is until the next call.
    case end
    case needsMore
}
