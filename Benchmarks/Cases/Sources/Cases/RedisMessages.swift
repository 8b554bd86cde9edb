import LimiterCore
import NIOCore
import RedisStore

/// One request's call of the decision script, from the request's values to the bytes for the socket.
final class ScriptEncoding: Exercise {
    private let group: LimitGroup
    private let calls = [LimitCall()]
    private let tenant = Array("acme".utf8)
    private let script = Array(repeating: UInt8(ascii: "a"), count: 40)
    private var writer = CommandWriter()
    private var out = ByteBuffer()

    init(limits: Int) throws { group = try SampleLimits(services: 1, limitsEach: limits).group }

    func run(calls count: Int) {
        for _ in 0..<count {
            calls[0].prepare(group)
            tenant.withUnsafeBytes { calls[0].appendValue($0) }
            calls[0].makeKeys()
            out.clear()
            writer.begin()
            writer.argument("EVALSHA")
            writer.argument(script)
            DecisionFormat.appendKeysAndArguments(of: calls, clock: -1, to: &writer)
            writer.finish(into: &out)
        }
    }

    /// The command's words but the last, which is packed numbers.
    var outcome: String {
        var rest = out
        var words: [String] = []
        for _ in 0..<(number(&rest) - 1) {
            words.append(rest.readString(length: number(&rest)) ?? "")
            rest.moveReaderIndex(forwardBy: 2)
        }
        return words.joined(separator: " ")
    }

    /// Of a line like `*5` or `$7`.
    private func number(_ bytes: inout ByteBuffer) -> Int {
        let line = bytes.readableBytesView.prefix { $0 != UInt8(ascii: "\r") }
        bytes.moveReaderIndex(forwardBy: line.count + 2)
        return Int(String(decoding: line.dropFirst(), as: UTF8.self)) ?? 0
    }
}

/// What the script answers to one request, from the socket's bytes to checked states.
final class ReplyDecoding: Exercise {
    private let group: LimitGroup
    private let reader = ReplyReader()
    private let bytes: [UInt8]
    private var states: [CounterState]
    private var passes = false

    init(limits: Int) throws {
        group = try SampleLimits(services: 1, limitsEach: limits).group
        let now = StandingTime().nowMicroseconds
        var numbers = [now, 1]
        for limit in group.limits {
            let state = limit.rule.neutral(at: now)
            numbers += [state.position, state.count, state.rest, state.generation]
        }
        bytes = Array(("*\(numbers.count)\r\n" + numbers.map { ":\($0)\r\n" }.joined()).utf8)
        states = Array(repeating: CounterState(position: 0, count: 0, rest: 0), count: limits)
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            passes = false
            let fed: Void? = try? bytes.withUnsafeBytes { try reader.feed($0, take) }
            precondition(fed != nil, "the sample is a reply")
        }
    }

    private func take(_ reply: Reply) -> Bool {
        guard let decision = DecisionReply(reply, requests: 1, rules: group.rules) else { return false }
        for index in states.indices { states[index] = decision.state(index) }
        passes = decision.passes(0)
        return true
    }

    var outcome: String { "\(passes ? "passes" : "does not pass"), available \(available)" }

    private var available: [Int64] {
        zip(group.limits, states).map { $0.rule.available($1, at: StandingTime().nowMicroseconds) }
    }
}
