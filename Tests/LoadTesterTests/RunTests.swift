import LoadTester
import NIOCore
import TestSupport
import NIOHTTP1
import Testing

/// Runs over sockets, against servers that behave and servers that do not.
@Suite struct RunTests {
    @Test func everyRequestIsSentOnceAndCountedOnce() async throws {
        try await StubServer.run { server in
            let report = try await report(on: server.port, path: "/x?y=1", requests: 501) {
                $0.connections = 7
                $0.threads = 2
                try $0.requests.add(field: "X-Extra: one")
            }
            #expect(server.requests.count == 501)
            #expect(server.requests.allSatisfy { $0.path == "/x?y=1" && $0.fields["x-extra"] == ["one"] })
            #expect(server.requests.allSatisfy { $0.fields["x-tenant"].isEmpty })
            #expect(report.requests.answered == 501)
            #expect(report.requests.statuses == ["200": 501])
            #expect(report.requests.errors == 0)
            #expect(report.requests.bodyBytes == 501 * 12)
            #expect(report.latency.count == 501)
            #expect(report.latency.p50Ms > 0)
            #expect(report.latency.p50Ms <= report.latency.p99Ms)
            #expect(report.latency.p99Ms <= report.latency.maxMs)
            #expect(report.usage.connectionsOpened == 7)
            #expect(report.series.reduce(0) { $0 + $1.admitted } == 501)
        }
    }

    @Test func methodsCostsBodiesAndTenantsArriveAsTheyWereDrawn() async throws {
        try await StubServer.run { server in
            _ = try await report(on: server.port, path: "/{tenant}", requests: 300) {
                $0.requests = try Requests(methods: "GET,POST=2", costs: "1,5")
                $0.requests.costField = "X-Cost"
                $0.requests.body = Array("hello".utf8)
                try $0.requests.add(field: "X-API-Key: key-{tenant}")
                $0.tenants = try Tenants(parsing: "zipf:3", pattern: "t{n}", run: "") { _ in "" }
            }
            let requests = server.requests
            #expect(Set(requests.map(\.method)) == ["GET", "POST"])
            #expect(Set(requests.flatMap { $0.fields["x-cost"] }) == ["1", "5"])
            #expect(requests.allSatisfy { $0.body == "hello" })
            #expect(Set(requests.flatMap { $0.fields["x-tenant"] }) == ["t1", "t2", "t3"])
            for request in requests {
                let tenant = request.fields["x-tenant"].first ?? ""
                #expect(request.fields["x-api-key"] == ["key-\(tenant)"])
                #expect(request.path == "/\(tenant)")
            }
            func count(_ tenant: String) -> Int { requests.count { $0.fields["x-tenant"] == [tenant] } }
            #expect(count("t1") > count("t3"))
        }
    }

    @Test func answersAreCountedByStatus() async throws {
        try await StubServer.run(answer: { .status([200, 302, 429, 503][$0.number % 4]) }) { server in
            let report = try await report(on: server.port, assertions: "other==25,refused<10,over_admission==0")
            #expect(report.requests.statuses == ["200": 25, "302": 25, "429": 25, "503": 25])
            #expect(report.requests.admitted == 50)
            #expect(report.requests.refused == 25)
            #expect(report.requests.other == 25)
            #expect(report.requests.errors == 0)
            #expect(report.refusedLatency.count == 25)
            #expect(report.assertions.map(\.holds) == [true, false, false])
            #expect(report.assertions[2].value == nil, "without a limit there is no such figure")
        }
    }

    @Test func anAnswerMayEndItsConnection() async throws {
        try await StubServer.run(answer: { _ in .status(200, ["Connection": "close"]) }) { server in
            let report = try await report(on: server.port, requests: 40)
            #expect(report.requests.statuses == ["200": 40])
            #expect(report.requests.errors == 0)
            #expect(report.usage.connectionsOpened >= 40)
        }
    }

    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\n\r\nuntil the end", "200", 13 as Int64), ("HTTP/1.1 204 No Content\r\n\r\n", "204", 0),
        ("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "200", 2),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "200", 3),
    ])
    func everyFramingIsUnderstood(_ text: String, _ status: String, _ bytes: Int64) async throws {
        try await StubServer.run(.raw(text)) { server in
            let report = try await report(on: server.port, requests: 1) { $0.connections = 1 }
            #expect(report.requests.statuses == [status: 1])
            #expect(report.requests.bodyBytes == bytes)
        }
    }

    @Test func whatNeverAnswersRunsIntoTheTimeout() async throws {
        try await StubServer.run(answer: { _ in .silence }) { server in
            let report = try await report(on: server.port, requests: 4) { $0.timeout = 1_000_000_000 }
            #expect(report.requests.errorKinds == ["timeout": 4])
            #expect(report.requests.answered == 0)
        }
    }

    @Test func aConnectionThatClosesWithoutAnAnswerIsAnError() async throws {
        try await StubServer.run(answer: { $0.number == 2 ? .closed : StubServer.Answer() }) { server in
            let report = try await report(on: server.port, requests: 20) { $0.connections = 1 }
            #expect(report.requests.errorKinds == ["closed": 1])
            #expect(report.requests.answered == 19)
        }
    }

    @Test func whatIsNoHTTPIsAnError() async throws {
        try await StubServer.run(.raw("SSH-2.0-OpenSSH_9.2\r\n")) { server in
            let report = try await report(on: server.port, requests: 1) { $0.connections = 1 }
            #expect(report.requests.errorKinds == ["malformed": 1])
        }
    }

    @Test func whereNothingListensTheRunFailsAndSaysSo() async throws {
        let port = try ServerProcess.freePort()
        let error = await #expect(throws: LoadError.self) { try await report(on: port) }
        #expect(error?.code == .failed)
        #expect(error?.message == "nothing answers at http://127.0.0.1:\(port)/ (Connection refused)")
    }

    // MARK: Open loop

    @Test func anOpenLoopSendsWhatIsDue() async throws {
        try await StubServer.run { server in
            let report = try await report(
                on: server.port, requests: nil, phases: ["warm-up:200ms:100", "ramp:1s:100-300"])
            #expect(server.requests.count + report.requests.unsent == 20 + 200)
            #expect(report.requests.answered + report.requests.errors == 200, "warm-up is not measured")
            #expect(report.warmUpSeconds == 0.2)
            #expect(report.usage.sentLateP99Ms != nil)
        }
    }

    @Test func latencyCountsFromWhenARequestWasDueSoThatAStallIsNotHidden() async throws {
        // One answer of 300 ms: to its one connection, 15 of the 50 requests come due meanwhile.
        try await StubServer.run(answer: { StubServer.Answer(delay: $0.number == 5 ? .milliseconds(300) : .zero) }) {
            server in
            let report = try await report(on: server.port, requests: nil, phases: ["hold:1s:50"]) { $0.connections = 1 }
            #expect(report.latency.maxMs >= 300)
            #expect(report.latency.p90Ms >= 100)
        }
    }

    @Test func whatCouldNotBeSentIsCounted() async throws {
        try await StubServer.run(answer: { _ in StubServer.Answer(delay: .milliseconds(400)) }) { server in
            let report = try await report(on: server.port, requests: nil, phases: ["hold:1s:100"]) {
                $0.connections = 2
            }
            #expect(report.requests.unsent >= 90)
            #expect(report.requests.unsent + report.requests.answered == 100)
            #expect(report.requests.errorKinds["unsent"] == report.requests.unsent)
        }
    }

    @Test func aConditionEndsTheRunEarly() async throws {
        try await StubServer.run(answer: { $0.number < 50 ? StubServer.Answer() : .status(429) }) { server in
            let report = try await report(on: server.port, requests: nil, phases: ["hold:1h"]) {
                $0.stop = try Condition.parse("refused>0", "--stop-when", known: Snapshot.figures)
            }
            #expect(report.stopReason == "stopped when refused>0")
            #expect(report.requests.refused > 0)
        }
    }

    @Test func replicasShareTheLoadAndAreComparedWithEachOther() async throws {
        try await StubServer.run { first in
            try await StubServer.run(answer: { .status($0.number % 2 == 0 ? 200 : 429) }) { second in
                let report = try await report(on: first.port, requests: 4000) {
                    $0.targets.append(try Target(parsing: "http://127.0.0.1:\(second.port)/"))
                    $0.threads = 2
                }
                #expect(report.replicas.map(\.sent).reduce(0, +) == 4000)
                #expect(report.replicas.allSatisfy { $0.sent > 0 })
                #expect(report.replicas[0].refused == 0)
                let fairness = try #require(report.replicaFairness)
                #expect(fairness.most == 1)
                #expect(abs(fairness.least - 0.5) < 0.05)
            }
        }
    }
}
