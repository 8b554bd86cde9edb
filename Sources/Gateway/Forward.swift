import HTTPWire
import LimiterCore
import NIOCore
import Telemetry

/// Passes the request on: a connection to the upstream that is chosen, the head in the form it was routed by, then the body.
enum Forwarding {
    static func step(_ exchange: Exchange) -> Step {
        if let route = exchange.route {
            if let answer = route.answer {
                guard !answer.needsHost || exchange.client.reader.head.fields.contains(.host) else {
                    return .respond(.malformedRequest)
                }
                Respond.answer(exchange, answer)
                return .waiting
            }
            if let path = route.forward?.path, exchange.attempts == 0, !rewritePath(exchange, path) {
                return .respond(.malformedRequest)
            }
        }
        if let problem = exchange.beginAttempts() { return .respond(problem) }
        if exchange.resilience != nil, !exchange.isAdmitted() {
            exchange.attemptRefused()
            return .waiting
        }
        guard let gate = chooseGate(exchange) else {
            exchange.attemptEnded(.noUpstream)
            return .waiting
        }
        exchange.attempt(at: gate)
        exchange.attemptBegins()
        exchange.gate = gate
        exchange.attempts += 1
        exchange.client.expect(.connection)
        if !gate.acquire(for: exchange) { exchange.attemptEnded(.busy) }
        return .waiting
    }

    private static func chooseGate(_ exchange: Exchange) -> UpstreamGate? {
        exchange.target < 0 ? nil : exchange.edition.upstreams[exchange.target].choose(for: exchange)
    }

    static func upstreams(of exchange: Exchange) -> Int {
        exchange.target < 0 ? 0 : exchange.edition.upstreams[exchange.target].count
    }

    // MARK: The head

    static func writeHead(_ exchange: Exchange, into out: inout ByteBuffer) {
        let client = exchange.client
        let changes = exchange.route?.forward
        removeFields(exchange)
        if let changes {
            withhold(exchange, changes)
            writeRequestLine(exchange, changes, into: &out)
        } else {
            client.reader.head.writeRequestLine(into: &out, path: exchange.path)
        }
        client.reader.head.fields.write(into: &out)
        if let changes { writeFields(exchange, changes, into: &out) }
        out.append(atMost: boundOfOwnFields(exchange)) { writeOwnFields(exchange, to: &$0) }
    }

    /// What was meant for this hop, what is written anew, and credentials.
    private static func removeFields(_ exchange: Exchange) {
        let client = exchange.client
        let identity = exchange.edition.plan.identity
        client.reader.head.fields.remove(.expect)
        client.reader.head.fields.remove(.xWeirTenant)
        client.reader.head.fields.withhold(.xForwardedFor)
        if exchange.requestID.given == nil { client.reader.head.fields.remove(.xRequestID) }
        if let trace = exchange.trace { trace.removeFields(&client.reader.head.fields) }
        if let name = identity.keyHeader { client.reader.head.fields.remove(named: name) }
        if !identity.issuers.isEmpty { removeTokens(exchange) }
    }

    /// Tokens that the upstream must not see.
    private static func removeTokens(_ exchange: Exchange) {
        for (place, field) in exchange.edition.plan.identity.tokenFields.enumerated() where field.mayHideTokens {
            guard exchange.forwardedTokens & 1 << UInt64(place) == 0 else { continue }
            if field.needsScheme {
                removeBearer(field.name, &exchange.client.reader.head.fields)
            } else {
                exchange.client.reader.head.fields.remove(named: field.name)
            }
        }
    }

    /// What has another scheme is no token, and for the upstream.
    private static func removeBearer(_ name: FieldName, _ fields: inout HeadFields) {
        var next = fields.firstIndex(named: name)
        while let index = next {
            if fields.withValue(at: index, { Authenticator.isBearer($0) }) { fields.remove(at: index) }
            next = fields.firstIndex(named: name, from: index + 1)
        }
    }

    private static func boundOfOwnFields(_ exchange: Exchange) -> Int {
        // Names and addresses; what comes from the head cannot be longer than the head.
        512 + ExchangeTrace.bound + RequestID.longest + exchange.tenant.name.count
            + (exchange.token?.fields.count ?? 0) + exchange.client.peerText.count
            + (exchange.gate?.authority.count ?? 0) + exchange.client.reader.head.bytes.readableBytes
    }

    private static func writeOwnFields(_ exchange: Exchange, to cursor: inout ByteCursor) {
        let client = exchange.client
        cursor.write("X-Forwarded-For: ")
        if client.isTrustedProxy { writeForwardedFor(client.reader.head.fields, to: &cursor) }
        cursor.write(client.peerText)
        cursor.write("\r\n")
        if !client.reader.head.fields.contains(.xForwardedProto) { cursor.write("X-Forwarded-Proto: http\r\n") }
        if let host = client.reader.head.fields.firstIndex(of: .host) {
            if !client.reader.head.fields.contains(.xForwardedHost) {
                cursor.write("X-Forwarded-Host: ")
                client.reader.head.fields.withValue(at: host) { cursor.write($0) }
                cursor.write("\r\n")
            }
        } else if exchange.route?.forward?.host == nil {
            cursor.write("Host: ")
            cursor.write(exchange.gate?.authority ?? [])
            cursor.write("\r\n")
        }
        if exchange.requestID.given == nil {
            cursor.write("X-Request-Id: ")
            exchange.requestID.write(client.reader.head.fields, to: &cursor)
            cursor.write("\r\n")
        }
        if let trace = exchange.trace { trace.write(to: &cursor) }
        if !exchange.tenant.name.isEmpty {
            cursor.write("X-Weir-Tenant: ")
            cursor.write(exchange.tenant.name)
            cursor.write("\r\n")
        }
        if let token = exchange.token { cursor.write(token.fields) }
        cursor.write("\r\n")
    }

    /// The values that came, which are withheld, because one field carries them all.
    private static func writeForwardedFor(_ fields: borrowing HeadFields, to cursor: inout ByteCursor) {
        var next = fields.firstIndex(of: .xForwardedFor)
        while let index = next {
            let field = fields[index]
            if !field.value.isEmpty {
                cursor.write(fields, field.value)
                cursor.write(", ")
            }
            next = fields.firstIndex(of: .xForwardedFor, from: index + 1)
        }
    }
}

extension Exchange {
    func isWaiting(at gate: UpstreamGate) -> Bool { upstream == nil && self.gate === gate }

    /// The connection that was waited for is there.
    func serve(_ connection: UpstreamConnection) {
        upstream = connection
        connection.exchange = self
        sentAt = worker.now
        connection.link.append { Forwarding.writeHead(self, into: &$0) }
        if resilience != nil {
            trial.attemptDeadline = .max
            sendKeptBody(to: connection)
        }
        if attempts == 1, !hasRetried, target == place?.service, let place,
            let mirror = edition.plan.services[place.service].migration?.mirror
        {
            beginMirroring(mirror)
        }
        if !isRequestComplete { continueIfExpected() }
        client.expect(.upstream)
        pumpRequestBody()
        connection.link.flush()
        client.updateReading()
    }

    private func continueIfExpected() {
        guard client.reader.head.expectsContinue, !hasContinued, !client.hasInbound else { return }
        hasContinued = true
        client.link.append { $0.writeStaticString("HTTP/1.1 100 Continue\r\n\r\n") }
        client.link.flush()
    }

    /// No connection could be opened.
    func upstreamUnreachable(isTimeout: Bool) {
        attemptEnded(isTimeout ? .connectTimeout : .unreachable)
        client.link.flush()
    }

    // MARK: The request's body

    /// Moves what has arrived of the body to the upstream, as far as that takes it.
    func pumpRequestBody() {
        guard let upstream, !isRequestComplete else { return }
        // A write may find the connection closed, and end the attempt.
        while self.upstream === upstream, upstream.link.isWritable {
            do throws(WireError) {
                switch try client.reader.next(&client.inbound) {
                case .body(let piece):
                    if isBodyTooLong() { return refuseBody(.bodyTooLarge) }
                    hasSentBody = true
                    if resilience != nil { keep(piece) }
                    if let mirrored, !mirrored.append(piece) { self.mirrored = nil }
                    upstream.link.append(piece)
                case .end:
                    isRequestComplete = true
                    completedAt = worker.now
                    bytesIn = client.reader.payloadBytes
                    mirrored?.send()
                    client.expect(.upstream)
                    return
                case .needsMore:
                    client.expect(isAnswered ? .upstream : .body)
                    return
                case .head: preconditionFailure("a body ends before the next head")
                }
            } catch {
                fault = error.code
                return refuseBody(Problem(refusing: error.status))
            }
        }
        if self.upstream === upstream { client.expect(.upstream) }
    }

    func isBodyTooLong() -> Bool { client.reader.payloadBytes > edition.longestBody }

    /// The body cannot be passed on to its end: too late for a proper answer where one has begun.
    private func refuseBody(_ problem: Problem) {
        keepsAlive = false
        giveUp(problem)
    }

    /// The client did not do its part.
    func giveUp(_ problem: Problem) {
        if isAnswered { Respond.breakOff(self) } else { Respond.refuse(self, problem) }
    }

    func upstreamWritabilityChanged() {
        pumpRequestBody()
        upstream?.link.flush()
        client.updateReading()
        client.link.flush()
    }
}
