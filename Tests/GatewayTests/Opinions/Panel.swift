import Foundation
import WeirConfiguration

/// A gateway and the other proxies that are installed, each before a recording upstream.
struct Panel {
    private let gateway: Fixture
    private let upstream: RecordingUpstream
    private let proxies: [ReferenceProxy]

    /// Comes after each message: who reads it as a request has found the message's end, and closes.
    static let last = Array("GET /end HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8)

    static func run(_ body: (Panel) async throws -> Void) async throws {
        let upstream = RecordingUpstream()
        let proxies = try await ReferenceProxy.startAll()
        defer {
            upstream.stop()
            for proxy in proxies { proxy.stop() }
        }
        var setup = Setup([(name: "service", path: "/", upstreams: [upstream.port])])
        setup.gateway.timeouts.header = .seconds(1)
        setup.gateway.timeouts.idle = .seconds(1)
        setup.gateway.timeouts.body = .seconds(1)
        try await withGateway(setup) { gateway async throws in
            try await body(Panel(gateway: gateway, upstream: upstream, proxies: proxies))
        }
    }

    /// What each makes of each message, `last` behind it.
    func opinions(on messages: [[UInt8]]) async throws -> [Opinions] {
        let whole = messages.map { $0 + Self.last }
        async let weir = Self.hold(whole, gateway.port, "weir", upstream)
        let others = try await withThrowingTaskGroup { group in
            for (index, proxy) in proxies.enumerated() {
                group.addTask {
                    (index, try await Self.hold(whole, proxy.port, proxy.kind.rawValue, proxy.upstream))
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
        let own = try await weir
        return messages.indices.map { index in
            Opinions(bytes: messages[index], weir: own[index], others: others.map { $0[index] })
        }
    }

    private static func hold(
        _ messages: [[UInt8]], _ port: Int, _ name: String, _ upstream: RecordingUpstream
    ) async throws -> [Opinion] {
        try Conversations.hold(messages, with: port).map { Opinion(name, $0, upstream) }
    }

    /// The opinions in which Weir let through what others read differently. A busy machine may make somebody impatient once: only what
    /// is so three times counts.
    func dangers(in opinions: [Opinions]) async throws -> [Opinions] {
        var dangers = opinions.filter { $0.danger != nil }
        for _ in 0..<2 where !dangers.isEmpty {
            dangers = try await self.opinions(on: dangers.map(\.bytes)).filter { $0.danger != nil }
        }
        return dangers
    }

    /// How others read what Weir has sent to its upstream as anything else than that. It is given to them as it was sent, so nobody may
    /// refuse it.
    func misread(_ opinions: [Opinions]) async throws -> [String] {
        var misread: [String] = []
        for proxy in proxies {
            var sent = opinions.map(\.weir).filter { !$0.requests.isEmpty }
            // nginx does not know the target that means the server as a whole.
            if proxy.kind == .nginx { sent.removeAll { $0.requests.contains { $0.target == "*" } } }
            for attempt in 0..<3 {
                let messages = sent.map { $0.requests.flatMap(\.raw) }
                let read = try await Self.hold(messages.map { $0 + Self.last }, proxy.port, "", proxy.upstream)
                let wrong = sent.indices.filter { !Self.isAlike(sent[$0].readings, read[$0].readings.dropLast()) }
                if attempt == 2 {
                    misread += wrong.map {
                        "\(proxy.kind) answers \(read[$0].outcome.statuses) and reads \(read[$0].readings)\n"
                            + String(decoding: messages[$0], as: UTF8.self).debugDescription
                    }
                }
                sent = wrong.map { sent[$0] }
            }
        }
        return misread
    }

    private static func isAlike(_ sent: [Reading], _ read: ArraySlice<Reading>) -> Bool {
        sent.count == read.count && zip(sent, read).allSatisfy { $0.matches($1) }
    }

    /// What the gateway's upstream could not read, and requests that no client has made.
    var strangers: [String] {
        upstream.malformed + upstream.sources.filter { !Conversations.hasUsed($0) }.map { "a request of \($0)" }
    }
}
