import HTTPWire
/// Finds out whose the request is, before any limit of a tenant is asked.
enum Authentication {
    static func step(_ exchange: Exchange) -> Step {
        guard !exchange.edition.plan.identity.isAnonymous else { return .next }
        guard Guard.mayAuthenticate(exchange) else { return .respond(.tooManyAuthenticationFailures) }
        let tenant = exchange.edition.authenticator.tenant(
            of: exchange.client.reader.head.fields, isFromTrustedProxy: exchange.client.isTrustedProxy)
        guard let tenant else {
            Guard.countFailedAuthentication(exchange)
            return .respond(.unauthenticated)
        }
        exchange.tenant = tenant
        return .next
    }
}
