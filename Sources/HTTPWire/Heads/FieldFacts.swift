/// What a head's fields have said so far about framing, the connection and the host.
struct FieldFacts: Sendable {
    /// Negative while there is no Content-Length.
    var contentLength: Int64 = -1
    var isChunked = false
    var hosts = 0
    var saysClose = false
    var saysKeepAlive = false
    /// Connection names fields other than those that never go further anyway.
    var namesFields = false
    var expectsContinue = false
}
