import WeirConfiguration
import Glibc
import HTTPWire
import LimiterCore
import NIOCore
import Telemetry

/// A client's connection: bytes in, one exchange at a time, bytes out, and the one deadline that counts just now.
final class ClientConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private enum Phase {
        /// Between requests, or within a head.
        case reading
        case exchanging
        /// Answered; what is left of the request's body is read and thrown away, then the next request comes.
        case draining
        /// Answered for the last time; whatever still comes is thrown away until the client closes, so that the answer
        /// is not lost in a reset.
        case lingering
        case closed
    }

    /// What the deadline is for.
    enum Awaited {
        case nextRequest, head, keys, body, connection, upstream, writing, rest, farewell
    }

    let peer: ClientAddress
    /// As X-Forwarded-For says it.
    let peerText: [UInt8]
    private(set) var isTrustedProxy: Bool
    private let worker: Worker
    /// By whose settings it reads.
    private var edition: Edition
    private let onClose: () -> Void
    /// nil once the connection is closed.
    private var exchange: Exchange?

    let link: Link
    var reader: RequestReader
    /// What has arrived and is not used up yet.
    var inbound = ByteBuffer()
    private var isProcessing = false
    private var phase = Phase.reading
    private var awaited = Awaited.nextRequest
    private var patience: BodyPatience
    private var slot = -1

    /// What may wait here unread, of pipelined requests or of a body that nobody takes yet.
    private static let mostInbound = 64 * 1024
    /// Answers to pipelined requests that are gathered at most.
    private static let mostOutbound = 64 * 1024

    init(worker: Worker, peer: ClientAddress, onClose: @escaping () -> Void) {
        self.worker = worker
        self.peer = peer
        self.onClose = onClose
        link = Link(worker: worker)
        edition = worker.edition
        patience = edition.patience
        peerText = Array(peer.description.utf8)
        isTrustedProxy = edition.plan.trusts(peer)
        reader = RequestReader(limits: edition.plan.headLimits)
        exchange = Exchange(client: self, worker: worker, peer: peer)
        slot = worker.deadlines.insert(self)
        expect(.nextRequest)
    }

    /// Who made the request, as far as trusted proxies say so.
    func clientAddress(of fields: borrowing HeadFields) -> ClientAddress {
        guard isTrustedProxy, fields.contains(.xForwardedFor) else { return peer }
        let blocks = edition.plan.settings.trustedProxies
        var client = peer
        for index in stride(from: fields.count - 1, through: 0, by: -1) {
            guard fields[index].known == .xForwardedFor, !fields[index].isRemoved else { continue }
            let (address, isSettled) = fields.withValue(at: index) {
                ForwardedFor.client(in: $0, behind: client, trusting: blocks)
            }
            client = address
            if isSettled { break }
        }
        return client
    }

    // MARK: Reading

    var hasInbound: Bool { inbound.readableBytes > 0 }

    private func process() {
        guard !isProcessing else { return }
        isProcessing = true
        while readOn() {}
        isProcessing = false
        if inbound.readableBytes == 0 { inbound = ByteBuffer() }
        updateReading()
    }

    /// Whether there may be more to do with what has arrived.
    private func readOn() -> Bool {
        guard let exchange else { return false }
        switch phase {
        case .reading: return readHead(for: exchange)
        case .exchanging:
            exchange.pumpRequestBody()
            return phase != .exchanging
        case .draining: return drainBody(of: exchange)
        case .lingering, .closed:
            inbound.clear()
            return false
        }
    }

    private func readHead(for exchange: Exchange) -> Bool {
        guard inbound.readableBytes > 0 else { return false }
        if edition !== worker.edition, reader.isBetweenRequests { adopt(worker.edition) }
        if link.gatheredBytes > Self.mostOutbound { link.flush() }
        guard link.isWritable else {
            // Who does not take answers gets no more of them.
            expect(.writing)
            return false
        }
        do throws(WireError) {
            guard case .head = try reader.next(&inbound) else {
                if awaited != .head, !reader.isBetweenRequests || hasInbound { expect(.head) }
                return false
            }
        } catch {
            phase = .exchanging
            exchange.begin(refusing: error)
            return true
        }
        phase = .exchanging
        exchange.begin()
        return phase != .exchanging || !exchange.isRequestComplete
    }

    /// The next request is read by other settings.
    private func adopt(_ edition: Edition) {
        self.edition = edition
        patience = edition.patience
        isTrustedProxy = edition.plan.trusts(peer)
        reader.limits = edition.plan.headLimits
    }

    /// Reads and throws away; too much, or what is not well-formed, ends the connection.
    private func drainBody(of exchange: Exchange) -> Bool {
        while true {
            do throws(WireError) {
                switch try reader.next(&inbound) {
                case .body: continue
                case .end:
                    exchangeOver()
                    return true
                case .needsMore: return false
                case .head: preconditionFailure("a body ends before the next head")
                }
            } catch {
                close()
                return false
            }
        }
    }

    /// Stops taking bytes while too many wait here.
    func updateReading() {
        guard phase != .closed else { return }
        link.setReading(inbound.readableBytes < Self.mostInbound || phase == .lingering || phase == .draining)
    }

    // MARK: Deadlines

    /// Sets the deadline anew. A head's, once set, stays.
    func expect(_ awaited: Awaited) {
        self.awaited = awaited
        guard slot >= 0 else { return }
        let deadline =
            switch awaited {
            case .nextRequest, .writing: worker.now &+ edition.timeouts.idle
            case .head: worker.now &+ edition.timeouts.header
            case .keys: worker.now &+ KeySource.longestWaitNanoseconds
            case .body: patience.wait(at: worker.now, after: reader.payloadBytes)
            case .rest: worker.now &+ edition.timeouts.body
            case .connection: worker.now &+ edition.timeouts.connect
            case .upstream: worker.now &+ edition.timeouts.upstream
            case .farewell: worker.now &+ edition.timeouts.farewell
            }
        guard let exchange, exchange.resilience != nil else { return worker.deadlines.set(slot, deadline) }
        worker.deadlines.set(slot, exchange.bounded(deadline, for: awaited))
    }

    /// Until something else is awaited, time does not matter.
    func expectNothing() {
        guard slot >= 0 else { return }
        worker.deadlines.set(slot, .max)
    }

    func deadlinePassed() {
        guard let exchange else { return }
        switch awaited {
        case .nextRequest, .rest, .farewell: close()
        case .head:
            phase = .exchanging
            exchange.begin(refusing: .requestTimeout)
        case .keys: Authentication.stopWaiting(exchange)
        case .body: exchange.giveUp(.requestTimeout)
        case .connection: exchange.attemptEnded(exchange.gate?.isSaturated == true ? .busy : .connectTimeout)
        case .upstream:
            exchange.gate?.log("no byte came within the upstream timeout", "an upstream did not answer in time")
            exchange.upstreamFailed(.timedOut)
        case .writing: if phase == .exchanging { Respond.breakOff(exchange) } else { close() }
        }
        link.flush()
    }

    // MARK: The ends of exchanges

    /// The answer has been written.
    func exchangeEnded() {
        guard let exchange, phase != .closed else { return }
        if exchange.isRequestComplete, exchange.keepsAlive {
            exchangeOver()
        } else if exchange.keepsAlive {
            phase = .draining
            expect(.rest)
        } else {
            farewell(mayHaveUnread: !exchange.isRequestComplete || hasInbound)
        }
        if !isProcessing {
            process()
            link.flush()
        }
    }

    private func exchangeOver() {
        reader.head.clear()
        patience.reset()
        if worker.isDraining, !hasInbound { return farewell(mayHaveUnread: false) }
        phase = .reading
        expect(.nextRequest)
    }

    private func farewell(mayHaveUnread: Bool) {
        link.flush()
        // A write that failed has closed the connection.
        guard phase != .closed else { return }
        phase = .lingering
        expect(link.waitingBytes > 0 ? .writing : .farewell)
        if mayHaveUnread {
            link.context?.close(mode: .output, promise: nil)
        } else {
            link.closeAfterWrites()
        }
    }

    /// The answer ends here, unfinished. `resetting`: the client would take a regular end of the connection for its end.
    func breakOff(resetting: Bool) {
        if resetting {
            _ = (link.context?.channel as? any SocketOptionProvider)?.setSoLinger(linger(l_onoff: 1, l_linger: 0))
            close()
        } else {
            farewell(mayHaveUnread: false)
        }
    }

    func close() { link.context?.close(promise: nil) }

    /// Whether a request is being answered.
    var isExchanging: Bool { phase == .exchanging }

    /// The gateway is about to stop.
    func drain() {
        if phase == .reading, reader.isBetweenRequests, !hasInbound { close() }
        exchange?.keepsAlive = false
    }

    // MARK: Events

    func handlerAdded(context: ChannelHandlerContext) { link.attach(context) }

    func handlerRemoved(context: ChannelHandlerContext) { link.detach() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var buffer = unwrapInboundIn(data)
        worker.readClock()
        if awaited == .body { patience.stopWaiting(at: worker.now) }
        if inbound.readableBytes == 0 { inbound = buffer } else { inbound.writeBuffer(&buffer) }
        process()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        exchange?.upstream?.link.flush()
        link.flush()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        worker.readClock()
        exchange?.clientWritabilityChanged()
        guard link.isWritable else { return }
        if phase == .reading, hasInbound {
            process()
            link.flush()
        } else if phase == .lingering {
            expect(.writing)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    func channelInactive(context: ChannelHandlerContext) {
        link.closed()
        worker.readClock()
        phase = .closed
        exchange?.clientGone()
        exchange = nil
        reader.head.clear()
        inbound = ByteBuffer()
        worker.deadlines.remove(slot)
        slot = -1
        onClose()
        worker.connectionsChanged()
    }
}
