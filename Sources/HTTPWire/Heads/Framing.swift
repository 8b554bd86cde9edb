/// How the end of a message's body is found.
package enum Framing: Hashable, Sendable {
    /// No body byte follows the head (`Content-Length: 0` included).
    case none
    /// That many bytes follow; more than 0.
    case length(Int64)
    case chunked
    /// The body ends when the connection does. Only responses.
    case untilClose
}
