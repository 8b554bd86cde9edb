import HTTPWire
import NIOCore
import Telemetry
import WeirConfiguration

/// A copy of a request on its way to a second version. It waits for nobody, and nobody waits for it: its answer is compared with the first
/// version's, and thrown away.
final class MirroredRequest {
    private enum Phase {
        /// The rest of the request's body is to come.
        case gathering
        case sent
        case over
    }

    private let plan: MigrationPlan.MirrorPlan
    private let client: MirrorClient
    private let upstream: UpstreamGate
    let method: Method
    private let path: String
    private let requestID: String
    /// Head and body.
    private(set) var bytes: ByteBuffer
    private var phase = Phase.gathering
    private var bodyBytes = 0
    private var startedAt: Int64 = 0
    private var timer: Scheduled<Void>?
    /// That it is on just now.
    var connection: MirrorConnection?
    private var first: MirrorFigures.Answer?
    private var second: MirrorFigures.Answer?
    /// The first version's answer is none: the client has left, or its request was at fault.
    private var isPointless = false

    init(
        _ plan: MigrationPlan.MirrorPlan, _ client: MirrorClient, to upstream: UpstreamGate, _ method: Method,
        path: String, requestID: String, head: ByteBuffer
    ) {
        self.plan = plan
        self.client = client
        self.upstream = upstream
        self.method = method
        self.path = path
        self.requestID = requestID
        bytes = head
    }

    /// A piece of the body, as the first version gets it. False: it is too long by now, and is not mirrored.
    func append(_ piece: ByteBuffer) -> Bool {
        bodyBytes += piece.readableBytes
        guard bodyBytes <= plan.rules.maximumBodyBytes else {
            plan.figures.countLeftOut()
            end()
            return false
        }
        bytes.writeImmutableBuffer(piece)
        return true
    }

    /// The request is whole.
    func send() {
        guard phase == .gathering else { return }
        phase = .sent
        startedAt = client.worker.now
        let request = NIOLoopBound(self, eventLoop: client.worker.loop)
        timer = client.worker.loop.scheduleTask(in: plan.timeout) { request.value.fail() }
        client.send(self, to: upstream)
    }

    /// What the first version answered.
    func firstAnswered(_ answer: MirrorFigures.Answer) {
        first = answer
        compare()
    }

    /// There is nothing to compare with.
    func giveUp() {
        isPointless = true
        if phase == .gathering { end() }
    }

    /// The worker ends.
    func stop() {
        isPointless = true
        end()
    }

    var isOver: Bool { phase == .over }

    /// The head of the second version's answer.
    func secondAnswered(_ status: Int) {
        second = MirrorFigures.Answer(status: status, nanoseconds: client.worker.now - startedAt)
    }

    /// The second version's answer is whole.
    func succeed() {
        end()
        compare()
    }

    /// There is none, or not all of one.
    func fail() {
        guard phase == .sent else { return }
        end()
        client.worker.readClock()
        second = MirrorFigures.Answer(status: 0, nanoseconds: client.worker.now - startedAt)
        compare()
    }

    private func end() {
        guard phase != .over else { return }
        phase = .over
        timer?.cancel()
        timer = nil
        connection?.close()
        connection = nil
        client.ended(self)
    }

    private func compare() {
        guard phase == .over, !isPointless, let first, let second else { return }
        isPointless = true
        plan.figures.count(first, second) {
            MirrorFigures.Difference(
                epochMicroseconds: SystemTime.epochMicroseconds, requestID: requestID, method: "\(method.name)",
                path: path,
                first: first, second: second)
        }
    }
}
