import HTTPWire
import Tokens

/// Finds out whose the request is, before any limit of a tenant is asked.
enum Authentication {
    static func step(_ exchange: Exchange) -> Step {
        let plan = exchange.edition.plan
        guard !plan.identity.isAnonymous, !isPublic(exchange) else { return .next }
        guard Guard.mayAuthenticate(exchange) else { return .respond(.tooManyAuthenticationFailures) }
        var caller = Authenticator.Caller()
        let outcome = exchange.edition.authenticator.identify(
            &caller, by: exchange.client.reader.head.fields, isFromTrustedProxy: exchange.client.isTrustedProxy,
            at: plan.identity.needsTime ? exchange.worker.epochMilliseconds : 0)
        switch outcome {
        case .known:
            exchange.tenant = caller.tenant ?? .anonymous
            exchange.apiKey = caller.key
            exchange.token = caller.token
            exchange.forwardedTokens = caller.forwardedTokens
            return .next
        case .refused(let fault): return refuse(exchange, fault)
        case .needsKeys(let source, let id): return awaitKeys(exchange, source, id)
        }
    }

    private static func isPublic(_ exchange: Exchange) -> Bool {
        exchange.place.map { exchange.edition.plan.services[$0.service].routes[$0.route].isPublic } ?? false
    }

    private static func refuse(_ exchange: Exchange, _ fault: TokenFault?) -> Step {
        Guard.countFailedAuthentication(exchange)
        exchange.refusal = exchange.edition.plan.identity.refusal(fault)
        return .respond(.unauthenticated)
    }

    // MARK: Keys that are not there

    private static func awaitKeys(_ exchange: Exchange, _ source: KeySource, _ id: [UInt8]?) -> Step {
        if exchange.awaitedKeys.contains(where: { $0 === source }) {
            if let id { source.missedAgain(id, at: exchange.worker.now) }
        } else if source.wait(exchange, for: id, at: exchange.worker.now) {
            exchange.awaitedKeys.append(source)
            exchange.client.expect(.keys)
            return .waiting
        }
        return source.keys == nil ? .respond(.keysUnavailable) : refuse(exchange, .unknownKey)
    }

    /// The keys have come, or will not.
    static func goOn(_ exchange: Exchange) {
        exchange.client.expectNothing()
        exchange.advance()
        exchange.client.link.flush()
    }

    /// They did not come in time.
    static func stopWaiting(_ exchange: Exchange) { goOn(exchange) }
}
