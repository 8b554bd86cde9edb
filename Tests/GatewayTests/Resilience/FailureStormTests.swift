import Gateway
import Glibc
import Synchronization
import TestSupport
import Testing
import WeirConfiguration

/// Everything that can fail, at once and by chance: whoever gets an answer gets the one to its own request, and nothing is
/// left over.
struct FailureStormTests {
    private static let clients = 8
    private static let requests = 60

    /// Fails by chance, otherwise answers with the request's path.
    private static func upstream(_ seed: UInt64, _ isCalm: @escaping @Sendable () -> Bool) -> TestUpstream {
        let generator = Mutex(SeededGenerator(seed: seed))
        return TestUpstream { upstream, wire, _ in
            let reader = MessageReader(wire)
            while let request = try reader.next(isResponse: false) {
                let path = String(request.startLine.split(separator: " ")[1])
                let good =
                    "HTTP/1.1 200 OK\r\nContent-Length: \(path.count + request.body.count)\r\n\r\n\(path)\(request.text)"
                let chance = generator.withLock { Int.random(in: 0..<12, using: &$0) }
                guard !isCalm() else {
                    upstream.note(request)
                    try wire.send(good)
                    continue
                }
                switch chance {
                case 0: return
                case 1: return try Failing.act(.resets, on: wire)
                case 2: return try Failing.act(.sendsGarbage, on: wire)
                case 3: return try Failing.act(.sendsHalfAHead, on: wire)
                case 4: try wire.send(Failing.down)
                case 5: try Failing.act(.answers503InChunks, on: wire)
                case 6: usleep(30_000)
                case 7:
                    // The connection looks idle, and is not.
                    try wire.send(good)
                    return
                default: try wire.send(good)
                }
                if chance == 6 { try wire.send(good) }
            }
        }
    }

    @Test func everyAnswerIsToItsOwnRequestAndNothingIsLeftOver() async throws {
        var generator = SeededGenerator()
        let isCalm = Mutex(false)
        let upstreams = (0..<2).map { _ in Self.upstream(generator.next()) { isCalm.withLock { $0 } } }
        defer { for upstream in upstreams { upstream.stop() } }
        let seeds = (0..<Self.clients).map { _ in generator.next() }
        var setup = Failing.setup(
            upstreams.map(\.port),
            """
            timeouts: {try: 20ms, total: 200ms}
            retries: {attempts: 4, on: [connect, reset, timeout, 503], backoff: 1ms, max_backoff: 5ms, budget: 100%}
            breaker: {min_requests: 20, error_ratio: 60%, open: 20ms, max_open: 50ms}
            on_failure: stale
            concurrency: {max: \(Self.clients)}
            """)
        setup.gateway.workers = 2
        try await withGateway(setup) { gateway async throws in
            let wrong = await withTaskGroup(of: [String].self) { group in
                for (client, seed) in seeds.enumerated() {
                    group.addTask { Self.storm(gateway, client, seed) }
                }
                return await group.reduce([], +)
            }
            #expect(wrong == [])
            isCalm.withLock { $0 = true }
            // All places are free again, as soon as the gateway knows which clients have left, and the breaker closes.
            let isWell = try await eventually {
                let all = try (0..<Self.clients).map { _ in try gateway.connect() }
                for client in all { try client.wire.send("GET /calm HTTP/1.1\r\nHost: a\r\n\r\n") }
                let answers = try all.map { try $0.next() }
                return answers.allSatisfy { $0?.text == "/calm" && $0?["Age"] == nil }
                    && setup.metrics?.value("weir_breaker_state") == 0
            }
            #expect(isWell)
        }
    }

    /// Returns what was not as it should be.
    private static func storm(_ gateway: Fixture, _ number: Int, _ seed: UInt64) -> [String] {
        var generator = SeededGenerator(seed: seed)
        var wrong: [String] = []
        var client = try? gateway.connect()
        for request in 0..<requests {
            guard let reader = client ?? (try? gateway.connect()) else { continue }
            client = reader
            let path = "/\(number)-\(request % 20)"
            let body = Bool.random(using: &generator) ? "body-\(request)" : ""
            let method = body.isEmpty ? "GET" : ["PUT", "POST"].randomElement(using: &generator)!
            let length = body.isEmpty ? "" : "Content-Length: \(body.count)\r\n"
            do {
                try reader.wire.send("\(method) \(path) HTTP/1.1\r\nHost: a\r\n\(length)\r\n\(body.prefix(3))")
                if Int.random(in: 0..<10, using: &generator) == 0 {
                    reader.wire.close()
                    client = nil
                    continue
                }
                try reader.wire.send(String(body.dropFirst(3)))
                guard let answer = try reader.next() else {
                    client = nil
                    continue
                }
                // A client that is late with its request's end is told so.
                if answer.status < 500, answer.status != 408, answer.text != path + body {
                    wrong.append("\(path)\(body): \(answer.text)")
                }
                if answer["Connection"] == "close" { client = nil }
            } catch {
                client = nil
            }
        }
        return wrong
    }
}
