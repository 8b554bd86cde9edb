import LimiterCore
import Logging
import WeirConfiguration

/// An error that Redis answered: what it means to the caller, what to do about it, and who must hear of it.
struct ServerFault {
    enum Remedy: Hashable {
        case none
        /// The script is not cached; send its text once.
        case sendText
        /// The server will not get better; another may stand behind the address.
        case reconnect
        /// Another node has this slot now. An empty host is that of the node that says so.
        case move(slot: Int, RedisAddress.Server)
        /// Another node has this slot's keys for once.
        case ask(RedisAddress.Server)
        /// The keys are on their way from one node to another.
        case tryAgain
        /// The cluster has lost slots, and may find them elsewhere.
        case askForMap
    }

    /// Bytes of an error that are kept.
    private static let mostText = 512

    let error: StoreError
    let remedy: Remedy
    /// How loudly the log says it; nil: what follows from it is said elsewhere. These are not cured by connecting again.
    let alarm: Logger.Level?

    init(_ text: UnsafeRawBufferPointer) {
        self.init(String(decoding: text.prefix(Self.mostText), as: UTF8.self))
    }

    init(_ message: String) {
        let words = message.split(separator: " ", maxSplits: 3)
        var (code, remedy, alarm) = (StoreError.Code.refused, Remedy.none, Logger.Level?.none)
        switch words.first ?? "" {
        case "NOSCRIPT": remedy = .sendText
        case "READONLY": remedy = .reconnect
        case "NOAUTH", "WRONGPASS", "NOPERM": (code, alarm) = (.unauthorized, .critical)
        case "OOM", "NOREPLICAS", "MISCONF": alarm = .error
        case "MOVED":
            if let (slot, server) = Self.redirection(words) { remedy = .move(slot: slot, server) }
        case "ASK":
            if let (_, server) = Self.redirection(words) { remedy = .ask(server) }
        case "TRYAGAIN": remedy = .tryAgain
        case "CLUSTERDOWN": remedy = .askForMap
        case "CROSSSLOT": code = .incompatible
        default:
            // A password where none is set, and what a script may not do, are only an ERR.
            let rights = [
                "AUTH <password>", "invalid password", "The user executing the script can't", "ACL failure in script",
            ]
            if rights.contains(where: { message.contains($0) }) { (code, alarm) = (.unauthorized, .critical) }
        }
        error = StoreError(code, message)
        self.remedy = remedy
        self.alarm = alarm
    }

    /// `MOVED 3999 127.0.0.1:6381`
    private static func redirection(_ words: [Substring]) -> (slot: Int, RedisAddress.Server)? {
        guard words.count >= 3, let slot = Int(words[1]), (0..<SlotMap.slots).contains(slot),
            let colon = words[2].lastIndex(of: ":"), let port = Int(words[2][words[2].index(after: colon)...]),
            (1...65_535).contains(port)
        else { return nil }
        return (slot, RedisAddress.Server(host: String(words[2][..<colon]), port: port))
    }
}
