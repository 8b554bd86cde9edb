import Foundation
import NIOHTTP1
import TestSupport
import Testing

/// Tokens, with the built program: it fetches the keys by itself, and others once the configuration names another address.
@Suite struct TokenTests {
    private func configuration(_ keys: Upstream, _ upstream: Upstream) -> String {
        """
        identity:
          jwt: {issuer: "https://issuer.example", audience: weir, jwks_url: "http://127.0.0.1:\(keys.port)/keys"}
        limits:
          - {name: users, per: [tenant, "claim:sub"], rate: 2/\(LongWindow.period)}
        services:
          - name: a
            routes: [{path: /}]
            upstreams: ["http://127.0.0.1:\(upstream.port)"]
        """
    }

    private func token(_ signer: Signer, _ user: String) throws -> String {
        let now = Int(Date().timeIntervalSince1970)
        return try signer.token(
            #"{"iss":"https://issuer.example","aud":"weir","exp":\#(now + 600),"tenant":"acme","sub":"\#(user)"}"#)
    }

    @Test func keysAreFetchedAndThoseOfAnotherAddressAfterAReload() async throws {
        let (first, second) = (Signer.es256(), Signer.edDSA())
        let upstream = try await Upstream.start()
        let servers = [
            try await Upstream.start(answering: first.set()), try await Upstream.start(answering: second.set()),
        ]
        let weir = try await WeirProcess.serve(configuration(servers[0], upstream))
        func status(_ signer: Signer, _ user: String) async throws -> Int {
            try await HTTP.send(.GET, weir.gateway, "/", token: try token(signer, user)).status
        }
        #expect(try await status(first, "u1") == 200)
        #expect(try await status(first, "u1") == 200)
        #expect(try await status(first, "u1") == 429)
        #expect(try await status(first, "u2") == 200)
        #expect(try await status(second, "u3") == 401)
        #expect(try await HTTP.get(weir.gateway, "/").status == 401)

        let dryRun = #"{"tenant":"acme","service":"a","claims":{"sub":"u1"},"dry_run":true}"#
        #expect(try await HTTP.send(.POST, weir.control, "/v1/check", body: dryRun).status == 429)

        try weir.reconfigure(configuration(servers[1], upstream))
        try await eventually(within: .seconds(10), "the other issuer's keys are in force") {
            try await status(second, "u4") == 200
        }
        #expect(try await status(first, "u5") == 401)
        #expect(weir.terminate() == 0)
        for server in servers + [upstream] { try await server.stop() }
    }
}
