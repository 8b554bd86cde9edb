import Synchronization

/// What an issuer's server publishes, which a test changes.
final class PublishedKeys: Sendable {
    private let state: Mutex<(text: String, status: String, fields: String, isHeld: Bool)>

    init(_ text: String) { state = Mutex((text, "200 OK", "", false)) }

    func publish(_ text: String) { state.withLock { $0.text = text } }

    func answer(status: String, fields: String = "") { state.withLock { ($0.status, $0.fields) = (status, fields) } }

    /// Answers wait until this ends.
    func hold(_ isHeld: Bool) { state.withLock { $0.isHeld = isHeld } }

    var isHeld: Bool { state.withLock { $0.isHeld } }

    var message: String {
        state.withLock {
            "HTTP/1.1 \($0.status)\r\nContent-Length: \($0.text.utf8.count)\r\n\($0.fields)\r\n\($0.text)"
        }
    }
}
