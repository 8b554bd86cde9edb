import Foundation
import TestSupport
import Testing

/// The built program as people call it: what it prints where, and how it ends.
@Suite struct CommandTests {
    private static let configuration = """
        identity:
          header: X-Tenant
        limits:
          - {name: global, per: tenant, rate: 100/minute}
        services:
          - name: payment
            routes: [{path: /payment}]
            upstreams: ["http://127.0.0.1:9"]
            limits:
              - {name: payment, per: tenant, rate: 10/minute, algorithm: token_bucket}
        """

    /// Runs `body` in a folder of its own that holds these files.
    private static func inFolder(_ files: [String: String], _ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        for (name, text) in files {
            try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
        }
        try body(folder)
    }

    // MARK: validate

    @Test func aValidConfigurationIsCountedUp() throws {
        let file = "gateway:\n  trusted_proxies: [127.0.0.0/8]\n" + Self.configuration
        try Self.inFolder(["weir.yaml": file]) { folder in
            let run = try CommandRun("validate", in: folder)
            #expect(run.status == 0)
            #expect(run.output == "weir.yaml: valid: 1 service, 1 route, 2 limits, counters in this process's memory\n")
            #expect(run.errors.isEmpty)
        }
    }

    @Test func everyFaultIsNamedAtOnceWithFileAndLine() throws {
        let faulty = """
            gateway:
              listen: nowhere
              workrs: 2
            limits:
              - {name: global, per: everyone, rate: 100/fortnight}
            services:
              - name: product
                routes: [{path: product}]
                upstreams: ["http://127.0.0.1:9"]
                limits:
                  - {name: local, per: everyone, rate: 1/s, mode: lokal}
            """
        try Self.inFolder(["faulty.yaml": faulty]) { folder in
            let run = try CommandRun("validate", "--config", "faulty.yaml", in: folder)
            #expect(run.status == 2)
            #expect(run.output.isEmpty)
            let lines = run.errors.split(separator: "\n")
            #expect(lines.first == "weir: the configuration cannot be used:")
            let places = lines.dropFirst().map { $0.prefix { $0 != " " } }
            #expect(places == [2, 3, 5, 8, 11].map { "faulty.yaml:\($0):" })
            #expect(run.errors.contains("did you mean `workers`?"))
        }
    }

    @Test func aFileThatIsMissingIsBadUsage() throws {
        for command in ["validate", "serve"] {
            let run = try CommandRun(command, "--config", "/nowhere/weir.yaml")
            #expect(run.status == 2)
            #expect(run.errors.contains("/nowhere/weir.yaml: there is no such file"))
        }
    }

    // MARK: budget

    @Test func theBudgetOfARunningWeirIsATableOrJSON() async throws {
        let weir = try await WeirProcess.serve(Self.configuration)
        defer { weir.stop() }
        for _ in 0..<2 { #expect(try await HTTP.get(weir.gateway, "/payment", tenant: "a b/ü").status >= 500) }
        let url = "http://127.0.0.1:\(weir.control)"

        let table = try CommandRun("budget", "a b/ü", "--url", url)
        #expect(table.status == 0)
        let rows = table.output.split(separator: "\n").map { $0.split(separator: " ").prefix(6).joined(separator: " ") }
        #expect(
            rows == [
                "tenant a b/ü", "LIMIT WHERE ALGORITHM USED OF LEFT", "global all sliding_window 2 100 98",
                "payment payment token_bucket 2 10 8",
            ])

        let json = try CommandRun("budget", "acme", "--json", "--url", url + "/")
        #expect(json.status == 0)
        #expect(json.output.hasPrefix(#"{"tenant":"acme","degraded":false,"limits":[{"name":"global""#))

        let empty = try CommandRun("budget", "", "--url", url)
        #expect(empty.status == 1)
        #expect(empty.errors.contains("answered 4"))

        let taken = try CommandRun(
            "demo", "--gateway-port", "\(weir.gateway)", "--control-port", "0", "--log-level", "critical")
        #expect(taken.status == 1, "its port is taken")
    }

    @Test func aTokenComesFromTheCommandLineOrTheConfiguration() async throws {
        let weir = try await WeirProcess.serve("  token: secret-enough-to-be-one\n" + Self.configuration)
        defer { weir.stop() }
        let url = "http://127.0.0.1:\(weir.control)"
        let without = try CommandRun("budget", "acme", "--url", url)
        #expect(without.status == 1)
        #expect(without.errors.contains("wants its token"))
        #expect(try CommandRun("budget", "acme", "--url", url, "--token", "secret-enough-to-be-one").status == 0)
        #expect(try CommandRun("budget", "acme", "--config", weir.configurationFile.path).status == 0)
    }

    // MARK: explain, override, reset

    @Test func aLimitIsChangedExplainedAndGivenBack() async throws {
        let weir = try await WeirProcess.serve(Self.configuration)
        defer { weir.stop() }
        let file = weir.configurationFile.path
        for _ in 0..<2 { _ = try await HTTP.get(weir.gateway, "/payment", tenant: "a b/ü") }

        let set = try CommandRun(
            "override", "a b/ü", "payment", "--rate", "4/minute", "--burst", "3", "--service", "payment", "--reason",
            "why",
            "--config", file)
        #expect(set.status == 0)
        #expect(
            set.output
                == "payment of a b/ü for payment: 4/minute, burst 3\nkept in that process's memory: it ends with it\n")
        let explained = try CommandRun("explain", "--tenant", "a b/ü", "--path", "/payment/7?x", "--config", file)
        #expect(explained.status == 0)
        #expect(explained.output.contains("4/minute, burst 3  1     override  10/minute, burst 10 (service)"))
        #expect(explained.output.hasSuffix("as http://127.0.0.1:\(weir.control) has it, with its overrides\n"))
        let offline = try CommandRun(
            "explain", "--tenant", "a b/ü", "--service", "payment", "--offline", "--config", file)
        #expect(offline.output.contains("10/minute, burst 10  1     service  -"))
        #expect(offline.output.hasSuffix("by \(file) alone, without overrides\n"))
        #expect(try CommandRun("override", "a b/ü", "--config", file).output.contains("4/minute, burst 3  removed"))

        let back = try CommandRun("reset", "a b/ü", "--limit", "payment", "--config", file)
        #expect(back.status == 0 && back.output.contains("payment  payment  token_bucket     0   3     3"))
        let wrong = try CommandRun("override", "a b/ü", "payment", "--rate", "4/fortnight", "--config", file)
        #expect(wrong.status == 1 && wrong.errors.contains("is not a period"))
        let removed = try CommandRun(
            "override", "a b/ü", "payment", "--remove", "--service", "payment", "--config", file)
        #expect(removed.output == "payment of a b/ü for payment: the override 4/minute, burst 3 is removed\n")
        #expect(try CommandRun("override", "a b/ü", "--config", file).output == "a b/ü has no overrides\n")
    }

    @Test func whatIsExplainedWithoutAWeirComesFromTheConfigurationAndSaysSo() throws {
        let port = try ServerProcess.freePort()
        let file =
            "gateway:\n  trusted_proxies: [127.0.0.0/8]\ncontrol:\n  listen: 127.0.0.1:\(port)\n" + Self.configuration
        try Self.inFolder(["weir.yaml": file]) { folder in
            let run = try CommandRun("explain", "--tenant", "acme", in: folder)
            #expect(run.status == 0)
            #expect(
                run.output.hasSuffix(
                    "by weir.yaml alone, without overrides, because nothing answers at http://127.0.0.1:\(port)\n"))
            let json = try CommandRun("explain", "--tenant", "acme", "--service", "payment", "--json", in: folder)
            #expect(
                json.output.hasPrefix(#"{"tenant":"acme","plan":null,"limits":[{"name":"global","service":"payment""#))
            for (arguments, says) in [
                (["--service", "shop"], "there is no service `shop`; the services are payment"),
                (["--path", "/catalog"], "no route takes /catalog"),
                (["--url", "http://127.0.0.1:\(port)"], "nothing answers at"),
            ] {
                let wrong = try CommandRun(["explain", "--tenant", "acme"] + arguments, in: folder)
                #expect(wrong.status == 1 && wrong.errors.contains(says), "\(wrong.errors)")
            }
        }
    }

    @Test func aRequestIsExplainedByItsMethodItsFieldsAndItsQuery() throws {
        let file = """
            limits: [{name: each, per: route, rate: 9/minute}]
            services:
              - name: shop
                upstreams: [http://127.0.0.1:1]
                routes:
                  - {pattern: "/shop/{id}", name: one, methods: [GET]}
                  - {path: /shop, name: two, headers: {X-Version: "2"}, query: {beta: true}}

            """
        try Self.inFolder(["weir.yaml": file]) { folder in
            func explain(_ arguments: String...) throws -> CommandRun {
                try CommandRun(["explain", "--offline", "--tenant", "a", "--path"] + arguments, in: folder)
            }
            #expect(try explain("/shop/./7").output.contains("shop     one"))
            let two = try explain("/shop/7/8?beta", "--method", "put", "--header", "X-Version: 2")
            #expect(two.status == 0 && two.output.contains("shop     two"))
            let none = try explain("/shop/7/8?beta")
            #expect(none.status == 1 && none.errors.contains("no route takes /shop/7/8?beta"))
            let notAllowed = try explain("/shop/7", "--method", "PUT")
            #expect(notAllowed.status == 1 && notAllowed.errors.contains("for GET alone, so a gateway answers 405"))
            #expect(try explain("/shop/%2f").errors.contains("it is not well-formed"))
        }
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func whereNothingAnswersThatIsSaidAtOnce(_ host: String) throws {
        let port = try ServerProcess.freePort()
        let clock = ContinuousClock()
        let start = clock.now
        let run = try CommandRun("budget", "acme", "--url", "http://\(host):\(port)")
        #expect(clock.now - start < .seconds(5))
        #expect(run.status == 1)
        #expect(
            run.errors == """
                weir: nothing answers at http://\(host):\(port) (Connection refused); is Weir running, with its control API there?

                """)
    }

    // MARK: Usage

    @Test(arguments: [
        (["flood"], "flood"), (["validate", "--frobnicate"], "--frobnicate"), (["budget"], "<tenant>"),
        (["budget", "acme", "--url", "nonsense"], "is not a URL"), (["explain"], "--tenant"),
        (["explain", "--tenant", "a", "--path", "/", "--service", "b"], "leave out --service"),
        (["explain", "--tenant", "a", "--offline", "--url", "http://127.0.0.1:1"], "leave out --url"),
        (["override", "acme", "--rate", "1/s"], "Name the limit"), (["override", "acme", "global"], "or --remove"),
        (["override", "acme", "global", "--remove", "--rate", "1/s"], "either"), (["reset"], "<tenant>"),
        (["demo", "--gateway-port", "99999"], "between 0 and 65535"),
        (["demo", "--redis", "http://127.0.0.1"], "--redis"), (["demo", "--log-level", "loud"], "loud"),
    ])
    func badUsageIsNamedOnStandardError(_ arguments: [String], _ named: String) throws {
        let run = try CommandRun(arguments)
        #expect(run.status == 2)
        #expect(run.output.isEmpty)
        #expect(run.errors.contains(named))
    }

    @Test(arguments: [
        [], ["serve"], ["demo"], ["validate"], ["budget"], ["explain"], ["reset"], ["override"],
    ])
    func everyCommandHasHelp(_ command: [String]) throws {
        let run = try CommandRun(command + ["--help"])
        #expect(run.status == 0)
        #expect(run.errors.isEmpty)
        #expect(run.output.contains("USAGE: \((["weir"] + command).joined(separator: " ")) "))
    }

    @Test func theVersionIsPrinted() throws {
        let run = try CommandRun("--version")
        #expect(run.status == 0)
        #expect(run.output.hasPrefix("weir "))
    }
}
