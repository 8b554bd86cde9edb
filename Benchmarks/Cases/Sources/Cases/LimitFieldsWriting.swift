import Gateway
import HTTPWire
import LimiterCore
import NIOCore

/// What an answer says of two limits.
final class LimitFieldsWriting: Exercise {
    private let fields: LimitFields
    private let call = LimitCall()
    private var out = ByteBuffer()

    init() throws {
        let limits = try SampleLimits(services: 1, limitsEach: 2, rate: "100/minute")
        fields = LimitFields(limits.group)
        call.prepare(limits.group)
        call.appendValue("acme")
        LocalStore(labels: limits.table.labels, time: StandingTime()).decide(call)
    }

    func run(calls: Int) {
        for _ in 0..<calls {
            out.clear()
            out.append(atMost: fields.headBound) { fields.writeHead(call.decision, isLegacy: false, to: &$0) }
        }
    }

    var outcome: String { String(buffer: out) }
}
