import HTTPWire
import NIOCore

/// What an exchange keeps of the messages that pass: the request's body for another attempt, and a good answer.
extension Exchange {
    /// A piece of the request's body goes to the upstream.
    func keep(_ piece: ByteBuffer) {
        if trial.keepsBody { trial.body.writeImmutableBuffer(piece) }
    }

    /// What earlier attempts were sent of the request's body.
    func sendKeptBody(to upstream: UpstreamConnection) {
        if trial.body.readableBytes > 0 { upstream.link.append(trial.body) }
    }

    /// The head of an answer is about to be passed on, with `changes`, which have withheld already what they withhold.
    func beginRecording(_ upstream: UpstreamConnection, _ changes: FieldChanges?) {
        guard !trial.isFallback, let stale = resilience?.stale, let key = trial.staleKey else { return }
        // The token may have been taken out of the request.
        let isOfUser = token != nil || client.reader.head.fields.contains(.authorization)
        let verdict = StaleRecording.judge(
            upstream.reader.head, to: client.reader.head, isOfUser: isOfUser,
            credentials: edition.plan.identity.credentials, changes, stale)
        switch verdict {
        case .keep(let recording): trial.recording = recording
        case .forget: edition.resilience.caches[stale.cache].remove(key)
        case .leave: break
        }
    }

    /// The answer has been passed on to its end.
    func keepRecording() {
        guard let recording = trial.recording, let stale = resilience?.stale, let key = trial.staleKey else { return }
        trial.recording = nil
        let isPayload = client.reader.head.version == .http10
        if let answer = recording.finished(isPayload: isPayload, at: worker.now) {
            edition.resilience.caches[stale.cache].store(key, answer)
        } else {
            edition.resilience.caches[stale.cache].remove(key)
        }
    }

    /// How long to wait where the route, or the service that is asked instead, says so.
    func bounded(_ deadline: Int64, for awaited: ClientConnection.Awaited) -> Int64 {
        guard !isEnded, !isAnswered else { return deadline }
        switch awaited {
        case .connection:
            return min(trial.active?.connect.map { worker.now &+ $0 } ?? deadline, trial.totalDeadline)
        case .upstream:
            guard let attempt = trial.active?.attempt else { return min(deadline, trial.totalDeadline) }
            guard isRequestComplete else { return min(deadline, trial.totalDeadline) }
            if trial.attemptDeadline == .max { trial.attemptDeadline = worker.now &+ attempt }
            return min(trial.attemptDeadline, trial.totalDeadline)
        case .body: return min(deadline, trial.totalDeadline)
        case .nextRequest, .head, .keys, .writing, .rest, .farewell: return deadline
        }
    }
}
