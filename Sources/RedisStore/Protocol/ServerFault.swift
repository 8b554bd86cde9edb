import LimiterCore

/// An error that Redis answered: what it means to the caller, and what to do about the connection.
struct ServerFault {
    enum Remedy {
        case none
        /// The script is not cached; send its text once.
        case sendText
        /// The server will not get better; another may stand behind the address.
        case reconnect
    }

    /// Bytes of an error that are kept.
    private static let mostText = 512

    let error: StoreError
    let remedy: Remedy

    init(_ text: UnsafeRawBufferPointer) {
        self.init(String(decoding: text.prefix(Self.mostText), as: UTF8.self))
    }

    init(_ message: String) {
        switch message.prefix(while: { $0 != " " }) {
        case "NOSCRIPT":
            error = StoreError(.refused, message)
            remedy = .sendText
        case "READONLY":
            error = StoreError(.refused, message)
            remedy = .reconnect
        case "NOAUTH", "WRONGPASS", "NOPERM":
            error = StoreError(.unauthorized, message)
            remedy = .none
        case "CROSSSLOT":
            error = StoreError(.incompatible, message)
            remedy = .none
        default:
            // Redis 6 and later say WRONGPASS, but a password where none is set is only an ERR.
            let isAboutPassword = message.contains("AUTH <password>") || message.contains("invalid password")
            error = StoreError(isAboutPassword ? .unauthorized : .refused, message)
            remedy = .none
        }
    }
}
