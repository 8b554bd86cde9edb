import HTTPTypes
import Hummingbird
import HummingbirdTesting
import LimiterCore
import Synchronization
import Testing

@testable import ControlAPI

@Suite struct OperationsTests {
    @Test func readinessFollowsTheProcess() async throws {
        let fixture = try ControlFixture()
        try await fixture.run { client in
            #expect(try await client.ask(.get, "/healthz").status == 200)
            for (phase, status) in [(Readiness.Phase.starting, 503), (.ready, 200), (.draining, 503)] {
                fixture.readiness.phase = phase
                let answer = try await client.ask(.get, "/readyz")
                #expect(answer.status == status && answer["status"] == .string(phase.rawValue))
                #expect(answer["degraded"] == false && answer["store"] == "memory")
            }
            #expect(try await client.ask(.get, "/healthz").status == 200)
        }
    }

    @Test func aDegradedStoreIsStillReady() async throws {
        let fixture = try ControlFixture()
        fixture.readiness.phase = .ready
        fixture.status.value.withLock { $0 = StoreStatus(phase: .fallback, replicasAlive: 2, shares: 3, unmerged: 7) }
        try await fixture.run { client in
            let answer = try await client.ask(.get, "/readyz")
            #expect(answer.status == 200 && answer["degraded"] == true && answer["store"] == "fallback")
            #expect(answer["shares"] == 3 && answer["replicas_alive"] == 2 && answer["unmerged"] == 7)
            let metrics = try await client.ask(.get, "/metrics").text
            for line in [
                "weir_store_degraded 1", #"weir_store_phase{phase="fallback"} 1"#,
                #"weir_store_phase{phase="shared"} 0"#, "weir_replicas_alive 2", "weir_store_shares 3",
                "weir_store_unmerged 7", "weir_overrides 0",
            ] {
                #expect(metrics.split(separator: "\n").contains { $0 == line }, "\(line)")
            }
        }
    }

    @Test func metricsCountRefusals() async throws {
        try await ControlFixture().run { client in
            for _ in 0..<12 { _ = try await client.check(#"{"tenant":"acme","service":"payment"}"#) }
            let answer = try await client.ask(.get, "/metrics")
            #expect(answer.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
            let series = #"weir_decisions_total{limit="payment",service="payment",outcome="denied",degraded="false"} 2"#
            #expect(answer.text.contains(series))
            #expect(answer.text.contains("weir_decision_duration_seconds_count 12"))
        }
    }

    @Test func theIndexAndOpenAPIListWhatIsBuilt() async throws {
        try await ControlFixture().run { client in
            let index = try await client.ask(.get, "/")
            #expect(index.status == 200 && index.text.contains("/v1/check"))
            #expect(!index.text.contains("reservations"))
            let document = try await client.ask(.get, "/openapi.json")
            #expect(document["openapi"] == "3.1.0")
            var described: Set<String> = []
            for path in document["paths"]?.members ?? [] {
                for operation in path.value.members where operation.name != "parameters" {
                    described.insert("\(operation.name.uppercased()) \(path.name)")
                }
            }
            #expect(described == Set(Endpoint.all.filter(\.isBuilt).map { "\($0.method) \($0.path)" }))
            Self.expectResolvableReferences(in: document.json, document.json)
        }
    }

    private static func expectResolvableReferences(in value: JSON, _ document: JSON) {
        if case .array(let values) = value { for item in values { expectResolvableReferences(in: item, document) } }
        for member in value.members {
            if member.name == "$ref", case .string(let reference) = member.value {
                let target = reference.split(separator: "/").dropFirst().reduce(JSON?.some(document)) {
                    $0?[String($1)]
                }
                #expect(target != nil, "\(reference)")
            }
            expectResolvableReferences(in: member.value, document)
        }
    }

    @Test(arguments: Endpoint.all.filter { !$0.isBuilt })
    func whatIsNotBuiltIsRefusedByName(endpoint: Endpoint) async throws {
        try await ControlFixture().run { client in
            let uri = endpoint.path.replacing("{tenant}", with: "acme").replacing("{limit}", with: "payment")
                .replacing("{id}", with: "7")
            let answer = try await client.ask(HTTPRequest.Method(endpoint.method)!, uri, "{}")
            #expect(answer.status == 501 && answer.detail == "\(endpoint.method) \(endpoint.path) is not built yet")
        }
    }

    @Test func unknownPathsAndMethodsAreProblems() async throws {
        try await ControlFixture().run { client in
            let nothing = try await client.ask(.get, "/v1/nothing")
            #expect(nothing.status == 404 && nothing["code"] == "not_found")
            #expect(nothing.headers[.contentType] == "application/problem+json")
            let wrong = try await client.ask(.delete, "/v1/check")
            #expect(wrong.status == 405 && wrong.headers[.allow] == "POST")
            #expect(try await client.ask(.head, "/healthz").status == 200)
        }
    }
}
