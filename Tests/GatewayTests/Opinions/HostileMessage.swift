import HTTPWire

/// Bytes of a client that means no good, or that is unusual, and what must come of them.
struct HostileMessage: Sendable {
    enum Outcome: Sendable {
        /// Refused with this status and sentence; the connection closes, and what follows is no request.
        case refused(WireError.Code)
        /// Not complete, so that what follows belongs to it: 408, and the upstream sees nothing of it.
        case unfinished
        /// Passed on; what follows is the next request.
        case passed
        /// Passed on; the connection closes after the answer.
        case passedAndClosed
    }

    let name: String
    let bytes: [UInt8]
    let outcome: Outcome
    /// What the upstream sees of it: method, target and body of each request.
    let forwarded: [String]
    /// Fields that the upstream must not see.
    var withheld: [String] = []
    /// Why Weir may let it through though nobody else does.
    var alone: String?

    init(_ name: String, _ text: String, _ outcome: Outcome, _ forwarded: String...) {
        self.init(name, bytes: Array(text.utf8), outcome, forwarded)
    }

    init(_ name: String, bytes: [UInt8], _ outcome: Outcome, _ forwarded: [String] = []) {
        self.name = name
        self.bytes = bytes
        self.outcome = outcome
        self.forwarded = forwarded
    }

    func withholding(_ fields: String...) -> HostileMessage {
        var copy = self
        copy.withheld = fields
        return copy
    }

    func alone(_ reason: String) -> HostileMessage {
        var copy = self
        copy.alone = reason
        return copy
    }

    /// What is not as it must be; empty: nothing.
    func faults(in opinions: Opinions) -> [String] {
        let weir = opinions.weir
        var faults: [String] = []
        var seen = weir.requests.map { request in
            "\(request.method) \(request.target) \(String(decoding: request.body, as: UTF8.self))"
                .trimmingSuffix(" ")
        }
        var statuses = weir.outcome.statuses
        switch outcome {
        case .passed:
            if seen.popLast() != "GET /end" { faults.append("the request that follows is not seen") }
            if statuses.popLast() != 200 { faults.append("the request that follows is not answered") }
        case .passedAndClosed: break
        case .unfinished: if statuses.popLast() != 408 { faults.append("the answer is not 408") }
        case .refused(let code):
            let error = WireError(code)
            if statuses.popLast() != error.status { faults.append("the answer is not \(error.status)") }
            if !weir.outcome.text.contains("The request is refused: \(error.message).") {
                faults.append("the answer does not say that \(error.message)")
            }
            if !weir.outcome.text.contains("application/problem+json") { faults.append("the answer is no problem") }
        }
        if seen != forwarded { faults.append("the upstream saw \(seen) instead of \(forwarded)") }
        if statuses != forwarded.map({ _ in 200 }) { faults.append("the answers before are \(statuses)") }
        if !weir.outcome.wasClosed { faults.append("the connection stays open") }
        for field in withheld where weir.requests.contains(where: { !$0.all(field).isEmpty }) {
            faults.append("the upstream sees \(field)")
        }
        if let danger = opinions.danger, alone == nil { faults.append(danger) }
        return faults
    }
}

extension String {
    fileprivate func trimmingSuffix(_ suffix: String) -> String {
        hasSuffix(suffix) ? String(dropLast(suffix.count)) : self
    }
}
