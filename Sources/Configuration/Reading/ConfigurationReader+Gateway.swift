import Foundation
import LimiterCore

extension ConfigurationReader {
    func readGateway(_ file: Section) -> GatewaySettings {
        var settings = GatewaySettings()
        settings.workers = max(1, ProcessInfo.processInfo.activeProcessorCount)
        let keys = [
            "listen", "workers", "trusted_proxies", "headers", "timeouts", "max_header_bytes", "max_header_fields",
            "max_body_bytes", "min_body_rate", "max_connections", "max_upstream_connections", "access_log",
        ]
        let notBuilt = ["tls": "end TLS in a load balancer before the gateway"]
        guard let section = file.section("gateway", keys: keys, notBuilt: notBuilt) else { return settings }

        if let listen = section.read("listen", "an address like 127.0.0.1:8080", ListenAddress.init(parsing:)) {
            settings.listen = listen
        }
        if let workers = section.integer("workers", in: 1...1024) { settings.workers = workers }
        settings.trustedProxies = readTrustedProxies(section)
        let headers = GatewaySettings.LimitHeaders.allCases.map { ($0.rawValue, $0) }
        if let choice = section.choice("headers", headers) { settings.headers = choice }
        settings.timeouts = readTimeouts(section)
        if let bytes = section.bytes("max_header_bytes", in: 1024...(1 << 20)) {
            settings.maximumHeaderBytes = Int(bytes)
        }
        if let fields = section.integer("max_header_fields", in: 1...1000) { settings.maximumHeaderFields = fields }
        settings.maximumBodyBytes = section.bytes("max_body_bytes", in: 0 ... .max)
        if let rate = section.bytes("min_body_rate", in: 0...(1 << 30)) { settings.minimumBodyRate = rate }
        if let count = section.integer("max_connections", in: 1...1_000_000) { settings.maximumConnections = count }
        if let count = section.integer("max_upstream_connections", in: 1...100_000) {
            settings.maximumUpstreamConnections = count
        }
        if let log = AccessLogReader(faults: faults).read(section) { settings.accessLog = log }
        return settings
    }

    private func readTrustedProxies(_ section: Section) -> [AddressBlock] {
        let list = section.list("trusted_proxies", of: "addresses like 10.0.0.0/8") ?? []
        return list.compactMap { element in
            guard case .scalar(let text, _) = element.content, let block = AddressBlock(parsing: text) else {
                faults.add(
                    "\(element.kind) in `gateway.trusted_proxies` is not an address or a block of them; write them like 10.0.0.0/8 or 2001:db8::/32",
                    element.position)
                return nil
            }
            return block
        }
    }

    private func readTimeouts(_ gateway: Section) -> GatewaySettings.Timeouts {
        var timeouts = GatewaySettings.Timeouts()
        let keys = ["header", "idle", "body", "connect", "upstream", "drain"]
        guard let section = gateway.section("timeouts", keys: keys) else { return timeouts }
        let range = Duration.milliseconds(1)...Duration.seconds(3600)
        if let header = section.duration("header", in: range) { timeouts.header = header }
        if let idle = section.duration("idle", in: range) { timeouts.idle = idle }
        if let body = section.duration("body", in: range) { timeouts.body = body }
        if let connect = section.duration("connect", in: range) { timeouts.connect = connect }
        if let upstream = section.duration("upstream", in: range) { timeouts.upstream = upstream }
        if let drain = section.duration("drain", in: .zero...Duration.seconds(3600)) { timeouts.drain = drain }
        return timeouts
    }
}
