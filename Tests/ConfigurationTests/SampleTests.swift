import Foundation
import LimiterCore
import Testing
import WeirConfiguration

/// `weir.yaml`, where each key is shown: what is commented out there can be used as it stands.
@Suite struct SampleTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path

    /// Takes the `#` from lines that hold a key or an element of a list, and from those that they go on in.
    ///
    /// Sentences in comments begin with capital letters, or behind something.
    private static func uncommented(_ text: String, without dropped: String) -> String {
        let commented = #/^( *)# ((?: |# )*(?:- \{|(?:- )?[a-z_]+:(?: .*)?$|- http).*)$/#
        var depth = 0
        return text.split(separator: "\n", omittingEmptySubsequences: false).map { line -> String in
            if line.contains("# \(dropped)") { return "" }
            var line = String(line)
            if depth > 0, let mark = line.firstIndex(of: "#") {
                line.replaceSubrange(mark...mark, with: " ")
            } else {
                var changed = false
                while let match = line.wholeMatch(of: commented) {
                    line = String(match.output.1 + match.output.2)
                    changed = true
                }
                guard changed else { return line }
            }
            for character in line.prefix(while: { $0 != "#" }) {
                if "[{".contains(character) { depth += 1 }
                if "]}".contains(character) { depth -= 1 }
            }
            return line
        }.joined(separator: "\n")
    }

    private func load(_ scratch: Scratch, without dropped: String) throws -> Configuration {
        let certificate = "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"
        for (name, text) in [
            ("ca.pem", certificate), ("weir.pem", certificate), ("control.token", "..."),
            ("weir.key", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"),
            ("keys.yaml", "- {tenant: initech, sha256: \"\(String(repeating: "ab", count: 32))\"}\n"),
            ("product.upstreams", "- http://127.0.0.1:9021\n"),
        ] {
            _ = try scratch.write(name, text)
        }
        let plain = "redis: redis://127.0.0.1:6379 "
        let text = Self.uncommented(
            try String(contentsOfFile: "\(Self.root)/weir.yaml", encoding: .utf8), without: dropped)
        #expect(text.contains(plain))
        // Sentinels and TLS go with such an address alone.
        let form = text.replacing(plain, with: "redis: rediss+sentinel://127.0.0.1:26379/mymaster ")
        return try Configuration.load(path: scratch.write("weir.yaml", form))
    }

    @Test(arguments: ["token: ", "token_file: "])
    func whatIsCommentedOutCanBeUsed(without alternative: String) throws {
        let scratch = try Scratch()
        let configuration = try load(scratch, without: alternative)
        #expect(configuration.control.token == "...")
        #expect(configuration.gateway.maximumBodyBytes == 10 << 20)
        #expect(configuration.gateway.timeouts.drain == .seconds(30))
        let store = try #require(configuration.store)
        #expect(store.deadline == .milliseconds(20) && store.tls.keyFile == "\(scratch.path)/weir.key")
        #expect(configuration.usage?.file == "\(scratch.path)/usage.log")
        #expect(configuration.usage?.interval == .seconds(60))
        #expect(configuration.dns.servers.count == 1)
        #expect(configuration.limits.hasCalendarQuotas)
        #expect(configuration.limits.plan(of: "initech")?.name == "pro")
        #expect(configuration.limits.plan(of: "acme")?.name == "free")
        #expect(configuration.limits.guards.limits.map(\.name) == ["flood"])
        #expect(configuration.limits.failedAuthentications.limits.map(\.name) == ["credentials"])
        #expect(configuration.identity.header == "x-tenant")
        #expect(configuration.identity.tokens.map(\.planClaim) == ["plan"])
        #expect(configuration.identity.apiKeys?.keys.count == 3)
    }

    @Test func whatIsCommentedOutAboutObservabilityCanBeUsed() throws {
        let scratch = try Scratch()
        let configuration = try load(scratch, without: "token_file: ")
        let log = configuration.gateway.accessLog
        #expect(log.destination == .file("\(scratch.path)/./access.log"))
        #expect(log.fields.count == 26 && log.sample == 0.1)
        #expect(log.redacted == [.clientIP, .header("x-version")] && log.redactedParameters == ["token"])
        let tracing = try #require(configuration.tracing)
        #expect(tracing.sample == 0.1 && tracing.trust == .everyone && tracing.batch == TracingSettings.Batch())
        #expect(configuration.logging == LoggingSettings())
    }

    /// What stands there is the default, except where it is an example.
    @Test func whatIsCommentedOutOfAServiceCanBeUsed() throws {
        let configuration = try load(try Scratch(), without: "token_file: ")
        #expect(configuration.services.map(\.name) == ["product", "payment", "catalog", "product-v2"])
        let product = configuration.services[0]
        #expect(
            product.routes.map(\.path) == [
                "/product", "/product/health", "/product/{id}/parts", "/old-product", "/robots.txt",
            ])
        #expect(product.routes.map(\.isPublic) == [false, true, false, false, false])
        #expect(product.routes[0].authorization.scopes == ["a:read"])
        #expect(product.routes[2].conditions.count == 3 && product.routes[2].methods == ["GET", "HEAD"])
        #expect(product.routes[3].answersItself && product.routes[4].answersItself)
        #expect(product.sources.count == 5)
        #expect(product.transformation != Transformation())
        #expect(product.balancing.health != nil)
        let resilience = product.resilience
        #expect(
            resilience.retries?.rules != nil && resilience.breaker?.rules != nil && resilience.stale == StaleRules())
        var mirror = Mirror(to: "product-v2")
        mirror.share = 1000
        #expect(product.mirror == mirror)
        #expect(product.shift == Shift(to: "product-v2", startSeconds: 1_801_382_400))
    }

    @Test func noLineThatCouldBeUsedIsLeft() throws {
        let text = try String(contentsOfFile: "\(Self.root)/weir.yaml", encoding: .utf8)
        let left = Self.uncommented(text, without: "token_file: ").split(separator: "\n").filter {
            $0.trimmingPrefix(while: \.isWhitespace).hasPrefix("#")
        }
        // Sentences: a table of a limit's keys, and what stands at the top or above a part.
        #expect(!left.contains { $0.contains(#/# *[a-z_]+: /#) }, "\(left)")
    }
}
