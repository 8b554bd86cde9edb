import HTTPWire
import LimiterCore
import NIOCore
import Telemetry
import Tokens

/// What a step says of the exchange that it was given.
enum Step {
    /// The next step may go on.
    case next
    /// The exchange ends here, with this answer.
    case respond(Problem)
    /// Something else will continue the exchange, or has answered it already.
    case waiting
}

/// One request and its answer. A client connection has one of these and uses it again for each request.
///
/// The steps (Guard, Routing, Authentication, Authorization, Limiting, Forwarding) read and change it one after the other; every end of
/// it goes through Respond.
final class Exchange {
    enum Phase {
        case guarding, routing, authenticating, authorizing, limiting, forwarding
    }

    let client: ClientConnection
    let worker: Worker
    /// Of the configuration that was in force when it began.
    private(set) var edition: Edition

    var phase = Phase.guarding
    /// Whether the request's head is there; false where it could not be read.
    var hasHead = false
    /// Whether the request's body has been read to its end.
    var isRequestComplete = false
    /// When it had been, by the loop's clock in nanoseconds.
    var completedAt: Int64 = 0
    /// Whether the head of the answer has been written.
    var isAnswered = false
    var isEnded = true
    /// Whether the connection may carry another request after this one.
    var keepsAlive = true

    /// The loop's clock, in nanoseconds.
    var startedAt: Int64 = 0
    var status = 0
    var bytesIn: Int64 = 0
    var bytesOut: Int64 = 0

    var path = CanonicalPath()
    var place: RouteTable.Place?
    /// What its route does beside forwarding it as it is.
    var route: RoutePlan?
    /// Where its pattern, if it has one, has found its parameters in `path`.
    var parameters = PathParameters()
    /// The methods that would do, where this request's does not.
    var allowedMethods = MethodSet.none
    var asksForBudget = false
    var tenant = Tenant.anonymous
    /// The API key that it came with, if any.
    var apiKey: APIKey?
    /// The token that it came with, if any.
    var token: BearerToken?
    /// Which of the fields for tokens have one that goes on to the upstream: a bit each; of those past 64, none does.
    var forwardedTokens: UInt64 = 0
    /// Where it has waited for keys that its tokens need.
    var awaitedKeys: [KeySource] = []
    var clientAddress: ClientAddress
    var requestID: RequestID

    // Limits
    var call = LimitCall()
    /// The limits that `call` asks for: others may be in force when the answer comes.
    var asked: LimitPlan?
    /// The limits that decided about this request, once they have; nil: none were asked.
    var decided: LimitPlan?
    /// Whether `LimitStore.decide` has not returned yet.
    var isAsking = false
    /// Whether an answer is awaited.
    var isUndecided = false
    var askedAt: Int64 = 0

    // Forwarding
    /// The path that its route makes of `path`; it keeps its room.
    var forwardedPath = ByteBuffer()
    var gate: UpstreamGate?
    var upstream: UpstreamConnection?
    /// The service whose upstreams are asked; below zero: none is yet.
    var target = -1
    var attempts = 0
    /// Where the latest attempt went, and where those before it did.
    var attempted: UpstreamGate?
    var tried: [UpstreamGate] = []
    /// Whether a connection that had been idle too long was replaced.
    var hasRetried = false
    /// Whether an upstream was sent anything of the request's body.
    var hasSentBody = false
    /// What its route declares about failures; nil: nothing, and `trial` means nothing.
    var resilience: ResiliencePlan?
    var trial = Trial()
    /// Which version of its service it goes to; nil: there is but one.
    var version: ErrorComparison.Version?
    /// The copy of it that goes to a second version.
    var mirrored: MirroredRequest?
    var sentAt: Int64 = 0
    /// From sending the request to the answer's head, in nanoseconds; below zero: there was none.
    var upstreamNanoseconds: Int64 = -1
    /// Whether the body of the answer is wrapped in chunks here.
    var wrapsInChunks = false
    /// Whether a closed connection marks the end of the answer.
    var endsWithConnection = false
    var hasContinued = false
    /// What the upstream's answer says; 0: there was none.
    var upstreamStatus = 0
    /// Why there was no good answer.
    var cause: FailureCause?
    /// nil: traces are passed through.
    var trace: ExchangeTrace?
    /// Whether it counts as being answered by its service.
    var isInFlight = false
    /// What is wrong with the message that is refused.
    var fault: WireError.Code?
    /// Says more of why it is refused than the kind of problem.
    var refusal: Problem.Text?

    /// What the caller's token says; nil: there is none.
    var claims: Claims? { token?.claims }

    /// The exchange as it is about one attempt of one request: when an answer comes later, it may be about another.
    struct Ticket {
        let exchange: Exchange
        private let number: UInt32
        private let attempt: Int

        init(_ exchange: Exchange) {
            self.exchange = exchange
            number = exchange.requestID.number
            attempt = exchange.attempts
        }

        var isCurrent: Bool {
            !exchange.isEnded && exchange.requestID.number == number && exchange.attempts == attempt
        }
    }

    func ticket() -> Ticket { Ticket(self) }

    init(client: ClientConnection, worker: Worker, peer: ClientAddress) {
        self.client = client
        self.worker = worker
        edition = worker.edition
        clientAddress = peer
        requestID = RequestID()
    }

    /// A request's head has arrived.
    func begin() {
        reset()
        hasHead = true
        keepsAlive = client.reader.head.keepAlive && !worker.isDraining
        clientAddress = client.clientAddress(of: client.reader.head.fields)
        requestID.begin(client.reader.head.fields, trusted: client.isTrustedProxy)
        if let tracing = edition.plan.tracing { beginTrace(tracing) }
        removeForgeries()
        client.expectNothing()
        if case .none = client.reader.head.framing {
            // Its end is read at once, and takes no bytes.
            isRequestComplete = (try? client.reader.next(&client.inbound)) != nil
        }
        advance()
    }

    /// Something arrived that is no request.
    func begin(refusing error: WireError) {
        begin(refusing: Problem(refusing: error.status), error.code)
    }

    /// A request did not arrive whole, or not as one: `fault` says what is wrong with it.
    func begin(refusing problem: Problem, _ fault: WireError.Code? = nil) {
        reset()
        self.fault = fault
        hasHead = false
        keepsAlive = false
        clientAddress = client.peer
        requestID.begin()
        Respond.refuse(self, problem)
    }

    private func reset() {
        edition = worker.edition
        phase = .guarding
        isRequestComplete = false
        isAnswered = false
        isEnded = false
        startedAt = worker.now
        status = 0
        (bytesIn, bytesOut) = (0, 0)
        place = nil
        route = nil
        asksForBudget = false
        tenant = .anonymous
        apiKey = nil
        token = nil
        forwardedTokens = 0
        if !awaitedKeys.isEmpty { awaitedKeys = [] }
        refusal = nil
        decided = nil
        target = -1
        attempts = 0
        attempted = nil
        if !tried.isEmpty { tried = [] }
        hasRetried = false
        hasSentBody = false
        completedAt = 0
        resilience = nil
        version = nil
        mirrored = nil
        upstreamNanoseconds = -1
        upstreamStatus = 0
        cause = nil
        trace = nil
        isInFlight = false
        wrapsInChunks = false
        endsWithConnection = false
        hasContinued = false
        fault = nil
    }

    /// Takes the steps from `phase` on, until one of them answers or waits.
    func advance() {
        while true {
            let step =
                switch phase {
                case .guarding: Guard.step(self)
                case .routing: Routing.step(self)
                case .authenticating: Authentication.step(self)
                case .authorizing: Authorization.step(self)
                case .limiting: Limiting.step(self)
                case .forwarding: Forwarding.step(self)
                }
            switch step {
            case .next: goOn()
            case .respond(let problem):
                Respond.refuse(self, problem)
                return
            case .waiting: return
            }
        }
    }

    /// To the step after this one.
    func goOn() {
        switch phase {
        case .guarding: phase = .routing
        case .routing:
            phase = .authenticating
            if let place {
                edition.traffic.began(service: place.service)
                isInFlight = true
            }
        case .authenticating: phase = .authorizing
        case .authorizing: phase = .limiting
        case .limiting, .forwarding: phase = .forwarding
        }
    }

    /// The client has left. What was begun for it is given up.
    func clientGone() {
        guard !isEnded else { return }
        if isUndecided {
            // The store still has the call; its answer will find another one here.
            call = LimitCall()
            isUndecided = false
        }
        Respond.abandon(self)
    }
}
