import Logging
import Telemetry
import Testing

struct AccessLineTests {
    private func setup(_ upstream: TestUpstream, _ file: LogFile, _ log: String, _ gateway: String = "") -> Setup {
        var setup = Setup(
            yaml: """
                gateway:
                  access_log: {to: stdout, \(log)}
                \(gateway)
                services:
                  - {name: shop, routes: [{path: /shop, name: orders}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}
                """)
        setup.accessLog = file.log
        return setup
    }

    @Test func fieldsStandInTheOrderGivenAndHideWhatTheyShould() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let file = try LogFile()
        let setup = setup(
            upstream, file,
            #"fields: [status, "header:X-Version", query, client_ip, host, path, user_agent, referer, upstream, upstream_status, route, trace_id], redact: [client_ip, "query:token", "header:X-Version", user_agent]"#,
            "  trusted_proxies: [127.0.0.0/8]")
        try await withGateway(setup) { gateway async throws in
            for address in ["203.0.113.77", "2001:db8:1:2::3"] {
                let answer = try gateway.get(
                    "/shop/%7Eme?token=abc&page=2", "X-Version: v1", "User-Agent: curl/8", "Referer: http://other/",
                    "X-Forwarded-For: \(address)",
                    "traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
                #expect(answer.status == 200)
            }
            #expect(try gateway.get("/shop").status == 200)
        }
        let lines = try file.lines()
        let objects = try file.objects()
        let word = try #require(objects[0]["header:x-version"] as? String)
        #expect(word.count == 16 && objects[1]["header:x-version"] as? String == word)
        let agent = try #require(objects[0]["user_agent"] as? String)
        #expect(
            lines[0]
                == #"{"status":200,"header:x-version":"\#(word)","query":"token=…&page=2","client_ip":"203.0.113.0","host":"weir.test","path":"/shop/~me","user_agent":"\#(agent)","referer":"http://other/","upstream":"127.0.0.1:\#(upstream.port)","upstream_status":200,"route":"orders","trace_id":"4bf92f3577b34da6a3ce929d0e0e4736"}"#
        )
        #expect(objects[1]["client_ip"] as? String == "2001:db8:1::")
        #expect(
            lines[2]
                == #"{"status":200,"client_ip":"127.0.0.0","host":"weir.test","path":"/shop","upstream":"127.0.0.1:\#(upstream.port)","upstream_status":200,"route":"orders"}"#
        )
    }

    @Test func combinedLinesCannotBeForged() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let file = try LogFile()
        try await withGateway(setup(upstream, file, "format: combined, redact: [\"query:key\"]")) {
            gateway async throws in
            _ = try gateway.get("/shop?a=1&key=2", "Referer: http://x/\" 200 \"", "User-Agent: a\\b\tc\u{e9}")
            _ = try gateway.ask("GET /shop HTTP/1.0\r\nHost: weir.test\r\n\r\n")
            _ = try gateway.ask("nonsense\r\n\r\n")
        }
        let lines = try file.lines()
        #expect(lines.count == 3)
        let time = /\[\d{2}\/[A-Z][a-z]{2}\/\d{4}:\d{2}:\d{2}:\d{2} \+0000\]/
        #expect(
            lines[0].replacing(time, with: "[]")
                == #"127.0.0.1 - - [] "GET /shop?a=1&key=\xE2\x80\xA6 HTTP/1.1" 200 5 "http://x/\x22 200 \x22" "a\x5Cb\x09c\xC3\xA9""#
        )
        #expect(lines[1].replacing(time, with: "[]") == #"127.0.0.1 - - [] "GET /shop HTTP/1.0" 200 5 "-" "-""#)
        #expect(lines[2].replacing(time, with: "[]").hasPrefix(#"127.0.0.1 - - [] "-" 400 "#))
    }

    @Test func replicasWriteTheSameRequestsAndAllThatWentWrong() async throws {
        let upstream = TestUpstream.answering { request in
            let status = request.startLine.contains("/bad") ? "500 Oh" : "200 OK"
            return "HTTP/1.1 \(status)\r\nContent-Length: 0\r\n\r\n"
        }
        defer { upstream.stop() }
        let files = [try LogFile(), try LogFile()]
        for file in files {
            let setup = setup(upstream, file, "fields: [status, trace_id], sample: 20%")
            try await withGateway(setup) { gateway async throws in
                let reader = try gateway.connect()
                for number in 0..<200 {
                    // Ids that are not spread at all.
                    let trace = String(repeating: "0", count: 28) + String(1000 + number)
                    let path = number % 20 == 0 ? "/shop/bad" : "/shop"
                    try reader.wire.send(
                        "GET \(path) HTTP/1.1\r\nHost: a\r\ntraceparent: 00-\(trace)-00f067aa0ba902b7-01\r\n\r\n")
                    _ = try reader.next()
                }
            }
        }
        let (one, other) = (try files[0].lines(), try files[1].lines())
        #expect(one == other)
        let failed = one.count { $0.contains("\"status\":500") }
        #expect(failed == 10)
        // Of 190; six standard deviations.
        #expect((5...71).contains(one.count - failed), "\(one.count - failed)")
    }

    @Test func refusalsAreAlwaysWritten() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let file = try LogFile()
        let setup = setup(
            upstream, file, "sample: 0%", "limits: [{name: all, per: everyone, rate: 2/minute}]")
        try await withGateway(setup) { gateway async throws in
            for _ in 0..<4 { _ = try gateway.get("/shop") }
            _ = try gateway.get("/nowhere")
        }
        #expect(try file.objects().map { $0["status"] as? Int } == [429, 429])
    }

    @Test func aPathThatWasNeverRoutedIsThatOfItsOwnRequest() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let file = try LogFile()
        let setup = setup(
            upstream, file, "fields: [status, path]",
            "limits: [{name: flood, per: everyone, rate: 1/minute, guard: true}]")
        try await withGateway(setup) { gateway async throws in
            let reader = try gateway.connect()
            for path in ["/shop/%7Efirst", "/shop/second"] {
                try reader.wire.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try reader.next()
            }
        }
        #expect(
            try file.lines() == [#"{"status":200,"path":"/shop/~first"}"#, #"{"status":429,"path":"/shop/second"}"#])
    }
}
