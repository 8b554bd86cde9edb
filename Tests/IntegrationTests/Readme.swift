import Foundation
import TestSupport
import Testing

/// The configurations in the README, each under a heading of its own, and what they leave out.
enum Readme {
    struct Block: Sendable {
        let heading: String
        let text: String
    }

    /// What makes a block a whole: sections before it, and what goes on behind it.
    private struct Rest {
        var before = ""
        var after = ""
        var files: [String: String] = [:]
    }

    static let issuer = Issuer(name: "https://issuer.example", audience: "weir")

    private static let header = "identity: {header: X-Tenant}\n"
    private static let keys = """
        identity:
          api_keys:
            keys: [{tenant: acme, sha256: "0ee3d7e3ae154954f584999ee8a2898c17694d98ad7cf282281363b71fcec8ae"}]

        """
    private static let tokens = """
        identity:
          jwt: {issuer: "https://issuer.example", audience: weir, jwks_file: keys.json}

        """
    private static let service = """
        services:
          - {name: catalog, routes: [{path: /catalog}], upstreams: ["http://127.0.0.1:9003"]}

        """

    private static func rest(_ heading: String) throws -> Rest? {
        switch heading {
        case "Authentication", "Observability", "Several replicas", "Sentinel", "Cluster": Rest(after: service)
        case "Authorisation": Rest(before: tokens, files: ["keys.json": issuer.signer.set()])
        case "Rate limiting": Rest(before: keys)
        case "Transformation", "Migration": Rest(before: header)
        case "Quotas that last": Rest(before: header, after: service)
        case "Routing", "Reload": Rest()
        case "Upstreams": Rest(files: ["search.upstreams": "- http://127.0.0.1:9003\n"])
        case "Circuit breaking": Rest(after: "  - {name: catalog, upstreams: [\"http://127.0.0.1:9003\"]}\n")
        case "Plans and overrides":
            Rest(
                after: """
                    limits:
                      - {name: global, per: tenant, rate: 100/minute}
                    services:
                      - name: payment
                        routes: [{path: /payment}]
                        upstreams: ["http://127.0.0.1:9002"]
                        limits: [{name: payment, per: tenant, rate: 10/minute, algorithm: token_bucket}]

                    """)
        case "TLS to Redis": try secureRedis()
        default: nil
        }
    }

    private static func secureRedis() throws -> Rest {
        let made = try Certificates()
        func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }
        return Rest(
            after: service,
            files: [
                "ca.pem": try text(made.authority), "weir.pem": try text(made.client.certificate),
                "weir.key": try text(made.client.key),
            ])
    }

    static func blocks() throws -> [Block] {
        var (blocks, heading, lines): ([Block], String, [Substring]?) = ([], "", nil)
        for line in try WrittenConfiguration.text("README.md").split(separator: "\n", omittingEmptySubsequences: false)
        {
            if line == "```", let text = lines {
                blocks.append(Block(heading: heading, text: text.joined(separator: "\n") + "\n"))
                lines = nil
            } else if lines != nil {
                lines?.append(line)
            } else if line == "```yaml" {
                lines = []
            } else if line.hasPrefix("#") {
                heading = String(line.drop { $0 == "#" }.dropFirst())
            }
        }
        return blocks
    }

    /// The block under this heading with what it leaves out, the listeners that other tests have among it.
    static func completed(_ heading: String) throws -> (configuration: String, files: [String: String]) {
        let block = try #require(try blocks().first { $0.heading == heading }, "\(heading) has no configuration").text
        let rest = try #require(try rest(heading), "nobody says what the configuration of \(heading) leaves out")
        let listen = "gateway:\n  listen: 127.0.0.1:8080\n  workers: 1\n  trusted_proxies: [127.0.0.1]\n"
        let gateway = "gateway:\n"
        let whole =
            block.contains(gateway) ? block.replacing(gateway, with: listen) : listen + rest.before + block
        return (whole + rest.after + "control: {listen: 127.0.0.1:8081}\n", rest.files)
    }

    /// A Weir with it, and with these texts instead of others.
    static func serve(
        _ heading: String, _ others: KeyValuePairs<String, String>, files: [String: String] = [:]
    ) async throws -> WeirProcess {
        let (configuration, own) = try completed(heading)
        return try await WeirProcess.serve(
            asWritten: try configuration.substituting(others), files: own.merging(files) { $1 })
    }
}
