import Foundation
import TestSupport
import Testing

@testable import Gateway

/// Tokens that other programs made: PyJWT and jwcrypto, by Tests/Forgeries/forge.py.
struct ForgeryTests {
    struct Row: Decodable {
        let name: String
        let token: String
        let issuer: String
        let valid: Bool
    }

    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// That has what `scripts/test` installs.
    private static let python: String? = (try? output(of: ["python3", "-c", "import jwt, jwcrypto"])).map { _ in
        "python3"
    }

    private static func output(of command: [String]) throws -> Data {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = command
        let packages = root.appending(path: ".build/python-packages").path
        process.environment = ProcessInfo.processInfo.environment.merging(["PYTHONPATH": packages]) { $1 }
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Wire.Failure(description: "\(command) failed") }
        return data
    }

    @Test(.enabled(if: python != nil, "needs a python3 with pyjwt and jwcrypto; scripts/test installs them"))
    func whatOthersSignedIsBelievedAndWhatTheyForgedIsNot() async throws {
        let upstream = TestUpstream.greeting()
        defer { upstream.stop() }
        let issuer = try TokenIssuer()
        let script = Self.root.appending(path: "Tests/Forgeries/forge.py").path
        let lines = try Self.output(of: [try #require(Self.python), script, issuer.folder]).split(separator: 0x0a)
        let rows = try lines.map { try JSONDecoder().decode(Row.self, from: $0) }
        #expect(rows.count { $0.valid } >= 20)
        #expect(rows.count { !$0.valid } >= 120)
        var setup = Setup(
            yaml: """
                identity:
                  jwt:
                    - {issuer: "https://issuer.example", audience: weir, jwks_file: jwks.json}
                    - {issuer: "https://secrets.example", audience: weir, secret_file: secret}
                services: [{name: a, routes: [{path: /}], upstreams: ["http://127.0.0.1:\(upstream.port)"]}]
                """)
        setup.folder = issuer.folder
        try await withGateway(setup) { gateway async throws in
            for row in rows {
                let before = upstream.requests.count
                // Twice: what was refused once must not be remembered as valid, nor the other way round.
                for _ in 0..<2 {
                    let answer = try gateway.get("/", "Authorization: Bearer \(row.token)")
                    #expect(answer.status == (row.valid ? 200 : 401), "\(row.name): \(answer.text)")
                    #expect(
                        row.valid || answer["WWW-Authenticate"]?.contains("error=\"invalid_token\"") == true,
                        "\(row.name)")
                }
                #expect(upstream.requests.count - before == (row.valid ? 2 : 0), "\(row.name)")
            }
        }
    }
}
