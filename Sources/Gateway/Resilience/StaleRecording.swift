import HTTPWire
import NIOCore
import WeirConfiguration

/// A good answer while it is passed on, gathered so that it can be given again.
struct StaleRecording {
    /// What becomes of what was kept when this answer comes.
    enum Verdict {
        case keep(StaleRecording)
        /// It is newer than what was kept, and must not be kept itself.
        case forget
        /// It says nothing of what was kept.
        case leave
    }

    private static let keptStatuses = [200, 203, 301, 308]
    private static let superseding = keptStatuses + [204, 404, 410]
    private static let vary = FieldName("vary")

    private let status: Int
    private let framing: Framing
    private let ageWhenStored: Int64
    private let freshSeconds: Int64
    private let lifetimeNanoseconds: Int64
    private let head: [UInt8]
    private var body = ByteBuffer()
    private let longestBody: Int
    /// Whether the body has become too long.
    private(set) var isTooLong = false

    /// `answer` is as it was received. `isOfUser`: it was given to somebody who said who it is. `credentials` are the fields that may
    /// say so, beside those that always do.
    static func judge(
        _ answer: borrowing ResponseHead, to request: borrowing RequestHead, isOfUser: Bool, credentials: [FieldName],
        _ changes: FieldChanges?, _ stale: ResiliencePlan.Stale
    ) -> Verdict {
        guard superseding.contains(answer.status) else { return .leave }
        guard keptStatuses.contains(answer.status), request.method == .get else {
            return request.method == .get ? .forget : .leave
        }
        let control = CacheControl(answer.fields)
        // Of somebody whom the key does not tell from others.
        let isOfOne = stale.rules.isShared && isOfUser
        guard !control.forbidsKeeping, !isOfOne || control.isPublic, !CacheControl(request.fields).forbidsStoring,
            varies(answer.fields, onlyBy: stale, credentials)
        else { return .forget }
        if case .length(let length) = answer.framing, length > Int64(stale.rules.maximumBodyBytes) { return .forget }
        return StaleRecording(answer, control, changes, stale).map(Verdict.keep) ?? .forget
    }

    private init?(
        _ answer: borrowing ResponseHead, _ control: CacheControl, _ changes: FieldChanges?,
        _ stale: ResiliencePlan.Stale
    ) {
        status = answer.status
        framing = answer.framing
        longestBody = stale.rules.maximumBodyBytes
        var age: Int64 = 0
        var out = ByteBuffer()
        answer.writeStatusLine(into: &out)
        for index in 0..<answer.fields.count {
            let field = answer.fields[index]
            guard !field.isRemoved, !Self.isOfOneAnswer(field.known) else { continue }
            let name = answer.fields.withName(at: index) { name -> Named in
                if name.equalsLowercase("set-cookie") { return .forbidden }
                return name.equalsLowercase("age") ? .age : .other
            }
            switch name {
            case .forbidden: if !field.isWithheld { return nil }
            case .age: age = answer.fields.withValue(at: index) { $0.decimal ?? 0 }
            case .other:
                guard !field.isWithheld else { continue }
                answer.fields.withName(at: index) { _ = out.writeBytes($0) }
                out.writeStaticString(": ")
                answer.fields.withValue(at: index) { _ = out.writeBytes($0) }
                out.writeCRLF()
            }
        }
        changes?.writeRenamed(answer.fields, into: &out)
        head = Array(out.readableBytesView)
        ageWhenStored = min(age, 1 << 31)
        freshSeconds = control.freshSeconds
        let most = stale.rules.maximumAge.components.seconds
        let left = control.longestAge(atMost: most) - ageWhenStored
        guard left > 0 else { return nil }
        lifetimeNanoseconds = left * 1_000_000_000
    }

    private enum Named { case forbidden, age, other }

    /// Written anew for each answer, or only true of one.
    private static func isOfOneAnswer(_ known: KnownField) -> Bool {
        switch known {
        case .contentLength, .transferEncoding, .xRequestID, .retryAfter, .rateLimit, .rateLimitPolicy, .rateLimitLimit,
            .rateLimitRemaining, .rateLimitReset, .xRateLimitLimit, .xRateLimitRemaining, .xRateLimitReset:
            true
        default: false
        }
    }

    /// Whether the key has all fields of the request by which the answer says that it varies.
    private static func varies(
        _ fields: borrowing HeadFields, onlyBy stale: ResiliencePlan.Stale, _ credentials: [FieldName]
    ) -> Bool {
        guard let name = vary else { return false }
        var next = fields.firstIndex(named: name)
        while let index = next {
            let isKnown = fields.withValue(at: index) { value in
                value.split(separator: UInt8(ascii: ",")).allSatisfy { element in
                    let text = element.filter { $0 != 0x20 && $0 != 0x09 }
                    guard let named = FieldName(text) else { return text.isEmpty }
                    if named.known == .host { return true }
                    if !stale.rules.isShared {
                        if [.authorization, .cookie].contains(named.known) || credentials.contains(named) {
                            return true
                        }
                    }
                    return stale.vary.contains(named)
                }
            }
            guard isKnown else { return false }
            next = fields.firstIndex(named: name, from: index + 1)
        }
        return true
    }

    /// A piece of the body, framed as it was received.
    mutating func append(_ piece: ByteBuffer) {
        guard !isTooLong else { return }
        // Chunks' sizes come on top of the body; they are taken off in the end.
        let bound = framing == .chunked ? longestBody * 2 + 1024 : longestBody
        guard body.readableBytes + piece.readableBytes <= bound else {
            isTooLong = true
            body = ByteBuffer()
            return
        }
        body.writeImmutableBuffer(piece)
    }

    /// The whole answer has come. `isPayload`: the pieces were without chunks' framing. nil: it is too long.
    func finished(isPayload: Bool, at now: Int64) -> StaleAnswer? {
        guard !isTooLong else { return nil }
        var payload: [UInt8] = []
        if framing == .chunked, !isPayload {
            var reader = BodyReader(.chunked, chunks: .payload)
            var rest = body
            while case .bytes(let piece)? = try? reader.next(&rest) { payload += piece.readableBytesView }
        } else {
            payload = Array(body.readableBytesView)
        }
        guard payload.count <= longestBody else { return nil }
        return StaleAnswer(
            status: status, head: head, body: payload, storedAt: now, ageWhenStored: ageWhenStored,
            freshSeconds: freshSeconds, lifetimeNanoseconds: lifetimeNanoseconds)
    }
}
