import LimiterCore
import NIOCore
import WeirConfiguration

/// What a connection says first, all in one write: who it is, which database; what the server is, if sentinels named it, how old, and how
/// it evicts; and the scripts.
struct Handshake {
    private enum Step {
        case authenticate
        case select
        case role
        case name
        case version
        case memory
        case load(Script)
    }

    private let address: RedisAddress
    private let steps: [Step]
    private var answered = 0
    /// What the server does when its memory is full; nil: it did not say.
    private(set) var eviction: Eviction?
    /// The names under which the server keeps the scripts, by `Script.rawValue`: 40 hex digits each.
    private(set) var names: [[UInt8]] = Array(repeating: [], count: Script.allCases.count)

    static let oldestMajorVersion = 7

    init(_ address: RedisAddress) {
        self.address = address
        var steps: [Step] = []
        if address.password != nil { steps.append(.authenticate) }
        if address.database != 0 { steps.append(.select) }
        if case .sentinel = address.form { steps.append(.role) }
        steps += [.name, .version, .memory]
        steps += Script.allCases.map { Step.load($0) }
        self.steps = steps
    }

    func write(into buffer: inout ByteBuffer, by writer: inout CommandWriter) {
        for step in steps {
            writer.begin()
            switch step {
            case .authenticate:
                writer.argument("AUTH")
                if let user = address.user { writer.argument(user) }
                writer.argument(address.password ?? "")
            case .select:
                writer.argument("SELECT")
                writer.argument(decimal: address.database)
            case .role: writer.argument("ROLE")
            case .name:
                writer.argument("CLIENT")
                writer.argument("SETNAME")
                writer.argument("weir")
            case .version:
                writer.argument("INFO")
                writer.argument("server")
            case .memory:
                writer.argument("INFO")
                writer.argument("memory")
            case .load(let script):
                writer.argument("SCRIPT")
                writer.argument("LOAD")
                writer.argument(script.text)
            }
            writer.finish(into: &buffer)
        }
    }

    /// Takes the next answer. Returns whether it was the last one; throws why this server cannot be used.
    mutating func received(_ reply: Reply) throws(StoreError) -> Bool {
        let step = steps[answered]
        answered += 1
        if reply.kind == .error {
            // The name is a courtesy; a user who may not set one may still decide.
            if case .name = step { return answered == steps.count }
            throw ServerFault(reply.text).error
        }
        switch step {
        case .authenticate, .select, .name:
            guard reply.kind == .status else { throw Self.unexpected }
        case .role:
            guard reply.kind == .array else { throw Self.unexpected }
            let role = String(decoding: reply.text, as: UTF8.self)
            guard role == "master" else {
                throw StoreError(.disconnected, "the server that a sentinel named is no primary: its role is `\(role)`")
            }
        case .version: try Self.checkVersion(reply)
        case .memory:
            guard reply.kind == .string else { throw Self.unexpected }
            eviction = Eviction(String(decoding: reply.text, as: UTF8.self))
        case .load(let script):
            guard reply.kind == .string, reply.text.count == 40 else { throw Self.unexpected }
            names[script.rawValue] = Array(reply.text)
        }
        return answered == steps.count
    }

    private static let unexpected = StoreError(.incompatible, "the server answered what Redis does not answer")

    private static func checkVersion(_ reply: Reply) throws(StoreError) {
        guard reply.kind == .string else { throw unexpected }
        let information = String(decoding: reply.text, as: UTF8.self)
        guard let version = InfoText.value(of: "redis_version", in: information) else {
            throw StoreError(.incompatible, "the server does not say which version of Redis it is")
        }
        guard let major = Int(version.prefix { $0 != "." }), major >= oldestMajorVersion else {
            throw StoreError(
                .incompatible, "the server is Redis \(version); Redis \(oldestMajorVersion).0 or later is needed")
        }
    }
}
