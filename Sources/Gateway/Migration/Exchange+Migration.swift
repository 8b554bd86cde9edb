import HTTPWire
import LimiterCore
import Logging
import NIOCore
import Telemetry
import WeirConfiguration

extension Exchange {
    /// The service whose upstreams are to be asked: another version of its own, for callers who have moved there.
    func version(of service: Int) -> Int {
        guard let shift = edition.plan.services[service].migration?.shift else { return service }
        let share = shift.progress.share(atSeconds: worker.epochSeconds)
        version = .first
        guard share > 0, bucket(edition.plan.services[service].migration) < share else { return service }
        version = .second
        return shift.service
    }

    /// By tenant, or by address where there is none.
    private func bucket(_ migration: MigrationPlan?) -> Int {
        guard let migration else { return .max }
        var caller = tenant.hash.value
        if tenant.name.isEmpty {
            let mixed = clientAddress.high ^ clientAddress.low
            caller = UInt32(truncatingIfNeeded: mixed ^ mixed >> 32)
        }
        return ShiftProgress.bucket(of: caller, migration.hash)
    }

    /// Whether something else was answered than what the version said.
    private var isCovered: Bool { resilience != nil && trial.served != .upstream }

    /// The exchange is over. What was covered up, or broke off, is a failure of the version, too.
    func countVersion(_ version: ErrorComparison.Version) {
        guard let place, status != 499, attempts > 0 || cause != nil,
            let shift = edition.plan.services[place.service].migration?.shift,
            shift.progress.count(version, failed: cause != nil || isCovered, at: worker.now)
        else { return }
        worker.logger.error(
            "a second version fails more often than it may; everything returns to the first",
            metadata: ["service": "\(edition.plan.services[place.service].name)", "second": "\(shift.name)"])
    }

    // MARK: Mirroring

    /// The request is on its way to the first version.
    func beginMirroring(_ plan: MigrationPlan.MirrorPlan) {
        guard plan.takes(client.reader.head.method) else { return }
        if case .length(let length) = client.reader.head.framing, length > plan.rules.maximumBodyBytes {
            return plan.figures.countLeftOut()
        }
        guard worker.mirrors.takes(plan), let mirrorGate = edition.upstreams[plan.service].choose(for: self) else {
            return
        }
        var head = ByteBuffer()
        let own = gate
        // What is said of the upstream in the head is that of the second version.
        gate = mirrorGate
        Forwarding.writeHead(self, into: &head)
        gate = own
        var id = ""
        requestID.withBytes(client.reader.head.fields) { id = String(decoding: $0, as: UTF8.self) }
        let path = path.withBytes(of: client.reader.head) { String(decoding: $0, as: UTF8.self) }
        let request = MirroredRequest(
            plan, worker.mirrors, to: mirrorGate, client.reader.head.method, path: path, requestID: id, head: head)
        worker.mirrors.began(request)
        mirrored = request
        if isRequestComplete { request.send() }
    }

    /// The exchange is over.
    func endMirroring(_ request: MirroredRequest) {
        mirrored = nil
        guard isRequestComplete, status != 499, !isCovered else { return request.giveUp() }
        let nanoseconds = upstreamNanoseconds >= 0 ? upstreamNanoseconds : worker.now - sentAt
        request.firstAnswered(MirrorFigures.Answer(status: status, nanoseconds: nanoseconds))
    }
}
