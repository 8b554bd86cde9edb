import NIOCore
import Telemetry
import WeirConfiguration

/// The connections on which one worker's mirrored requests go, apart from all others, so that they hold up nobody.
final class MirrorClient {
    unowned let worker: Worker
    private var inFlight: [ObjectIdentifier: MirroredRequest] = [:]
    /// By the gate to their upstream.
    private var idle: [ObjectIdentifier: [MirrorConnection]] = [:]
    /// How much of a request is owed to each mirror, in 10 000.
    private var owed: [ObjectIdentifier: Int] = [:]

    init(worker: Worker) { self.worker = worker }

    /// Whether the next request is one of the mirror's share.
    func takes(_ plan: MigrationPlan.MirrorPlan) -> Bool {
        let sum = owed[ObjectIdentifier(plan.figures), default: 0] + plan.rules.share
        owed[ObjectIdentifier(plan.figures)] = sum % 10_000
        guard sum >= 10_000 else { return false }
        guard inFlight.count < plan.rules.maximumInFlight else {
            plan.figures.countLeftOut()
            return false
        }
        return true
    }

    func began(_ request: MirroredRequest) { inFlight[ObjectIdentifier(request)] = request }

    func ended(_ request: MirroredRequest) { inFlight[ObjectIdentifier(request)] = nil }

    func send(_ request: MirroredRequest, to gate: UpstreamGate) {
        while let connection = idle[ObjectIdentifier(gate)]?.popLast() {
            if connection.isOpen { return connection.send(request) }
        }
        let opened = NIOLoopBound((client: self, gate: gate), eventLoop: worker.loop)
        gate.connect { channel in
            try channel.pipeline.syncOperations.addHandler(MirrorConnection(opened.value.client, opened.value.gate))
        }.assumeIsolated().whenComplete { result in
            let channel = try? result.get()
            guard !request.isOver,
                let connection = try? channel?.pipeline.syncOperations.handler(type: MirrorConnection.self)
            else {
                channel?.close(promise: nil)
                return request.fail()
            }
            connection.send(request)
        }
    }

    /// The connection can take another request.
    func release(_ connection: MirrorConnection, to gate: UpstreamGate) {
        idle[ObjectIdentifier(gate), default: []].append(connection)
    }

    func closed(_ connection: MirrorConnection, to gate: UpstreamGate) {
        idle[ObjectIdentifier(gate)]?.removeAll { $0 === connection }
        if idle[ObjectIdentifier(gate)]?.isEmpty == true { idle[ObjectIdentifier(gate)] = nil }
    }

    /// These are all that there are from now on.
    func keep(_ plans: [MigrationPlan.MirrorPlan]) {
        let kept = Set(plans.map { ObjectIdentifier($0.figures) })
        owed = owed.filter { kept.contains($0.key) }
    }

    func closeIdle(since time: Int64) {
        guard !idle.isEmpty else { return }
        for connection in idle.values.flatMap({ $0 }) where connection.idleSince < time { connection.close() }
    }

    /// The worker ends.
    func stop() {
        for request in Array(inFlight.values) { request.stop() }
        closeIdle(since: .max)
    }
}
