import TestSupport
import Testing

/// Clients that are many, idle or slow, against a whole `weir serve`.
@Suite(.serialized) struct ManyConnectionTests {
    private static let body = "abcdefghij"
    private static let request = "GET /bytes/10 HTTP/1.1\r\nHost: a\r\n\r\n"

    private static func serve(
        _ upstream: ContentUpstream, _ gateway: String..., files: String? = nil
    ) async throws -> WeirProcess {
        try await WeirProcess.serve(
            """
            services:
              - name: content
                routes: [{path: /}]
                upstreams: ["http://127.0.0.1:\(upstream.port)"]
            """, gateway: gateway, files: files)
    }

    @Test func tenThousandIdleConnectionsStayOpenAndCostLittle() async throws {
        // Of this process and of weir alike.
        let count = min(10_000, LoopbackClients.raisedFileLimit() - 1_000)
        try #require(count > 100, "this user may open too few files")
        let upstream = try await ContentUpstream.start()
        let weir = try await Self.serve(upstream, "timeouts: {idle: 10m}")
        let clients = LoopbackClients()
        try clients.connect(1, to: weir.gateway)
        clients.send(Self.request, on: 0)
        #expect(clients.status(on: 0, endingIn: Self.body) == 200)
        let before = weir.residentBytes
        try clients.connect(count - 1, to: weir.gateway)
        try await eventually("all are accepted") {
            try await weir.metric("weir_connections ") >= Double(count)
        }
        let fresh = (weir.residentBytes - before) / count
        // Not more at once than may wait for a connection to the upstream.
        for start in stride(from: 0, to: count, by: 500) {
            let some = start..<min(count, start + 500)
            for index in some { clients.send(Self.request, on: index) }
            #expect(some.count { clients.status(on: $0, endingIn: Self.body) != 200 } == 0)
        }
        let used = (weir.residentBytes - before) / count
        print("\(count) idle connections: \(fresh) bytes each before their first request, \(used) after it")
        #expect(used < 64 * 1024)
        #expect((0..<count).count { !clients.isOpen($0) } == 0)
        weir.stop()
        try await upstream.stop()
    }

    @Test func slowReadersOfLargeAnswersDoNotFillTheMemory() async throws {
        let upstream = try await ContentUpstream.start()
        let weir = try await Self.serve(upstream)
        #expect(try await HTTP.get(weir.gateway, "/bytes/10").status == 200)
        let before = weir.residentBytes
        let clients = LoopbackClients()
        try clients.connect(200, to: weir.gateway, receiveBuffer: 65_536)
        for index in 0..<200 { clients.send("GET /bytes/104857600 HTTP/1.1\r\nHost: a\r\n\r\n", on: index) }
        // The first piece of each has come, and a second and more waits.
        for index in 0..<200 { #expect(clients.status(on: index) == 200) }
        var last = 0
        try await eventually("it grows no more") {
            let now = weir.residentBytes
            defer { last = now }
            try await Task.sleep(for: .milliseconds(200))
            return now <= last
        }
        print("200 slow readers of 100 MiB: \((weir.residentBytes - before) >> 10) KiB more")
        // A few hundred KiB each, of 100 MiB.
        #expect(weir.residentBytes - before < 128 << 20)
        #expect(try await HTTP.get(weir.gateway, "/bytes/10").status == 200)
        weir.stop()
        try await upstream.stop()
    }

    @Test func theProcessTakesAllTheFilesThatItMayHave() async throws {
        let upstream = try await ContentUpstream.start()
        let weir = try await Self.serve(upstream, "max_connections: 400", files: "-Sn 64")
        let clients = LoopbackClients()
        try clients.connect(300, to: weir.gateway)
        for index in 0..<300 { clients.send(Self.request, on: index) }
        #expect((0..<300).count { clients.status(on: $0) != 200 } == 0)
        weir.stop()
        try await upstream.stop()
    }

    @Test func whereFilesAreFewFewerConnectionsAreTakenAndThoseAreServed() async throws {
        let upstream = try await ContentUpstream.start()
        // 200 files: 128 for itself, a quarter for upstreams, and the rest for clients.
        let weir = try await Self.serve(upstream, "max_connections: 400", files: "-n 200")
        #expect(weir.log.contains("max_connections=400") && weir.log.contains("taken=22"))
        let clients = LoopbackClients()
        try clients.connect(100, to: weir.gateway)
        for index in 0..<100 { clients.send(Self.request, on: index) }
        #expect((0..<100).count { clients.status(on: $0) == 200 } == 22)
        weir.stop()
        try await upstream.stop()
    }
}
