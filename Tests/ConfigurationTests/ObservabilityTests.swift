import Testing
import WeirConfiguration

@Suite struct ObservabilityTests {
    private func parse(_ yaml: String) throws -> Configuration {
        try Configuration.parse(yaml + "\n" + leastServices, file: "/etc/weir.yaml")
    }

    @Test func anAccessLogSaysWhatIsWrittenAndWhatIsHidden() throws {
        let log = try parse(
            """
            gateway:
              access_log:
                to: ./access.log
                format: json
                fields: [time, status, query, client_ip, "header:X-Version", tenant]
                redact: [client_ip, "query:token", tenant]
                sample: 12.5%
            """
        ).gateway.accessLog
        #expect(log.destination == .file("/etc/./access.log"))
        #expect(log.fields == [.time, .status, .query, .clientIP, .header("x-version"), .tenant])
        #expect(log.redacted == [.clientIP, .tenant] && log.redactedParameters == ["token"])
        #expect(log.sample == 0.125)
        let plain = try parse("gateway: {access_log: {to: stdout, format: combined, redact: [query, path]}}").gateway
            .accessLog
        #expect(plain.destination == .standardOutput && plain.format == .combined && plain.sample == 1)
    }

    @Test func tracingHasItsDefaultsAndItsSecretsInFiles() throws {
        let scratch = try Scratch()
        let file = try scratch.write("token", "Bearer secret\n")
        let tracing = try #require(
            try parse(
                """
                tracing:
                  otlp: https://collector:4318/v1/traces
                  headers: {Authorization: {file: \(file)}, X-Team: a b}
                  attributes: {deployment.environment: prod}
                """
            ).tracing)
        #expect(tracing.collector == "https://collector:4318/v1/traces")
        #expect(tracing.headers.map(\.value) == ["Bearer secret", "a b"])
        #expect(tracing.sample == 0.1 && tracing.trust == .everyone && tracing.serviceName == "weir")
        #expect(tracing.batch == TracingSettings.Batch())
        #expect(tracing.attributes == [.init(name: "deployment.environment", value: "prod")])
        #expect(try parse("").tracing == nil && parse("").logging == LoggingSettings())
        #expect(try parse("logging: {level: debug, format: json}").logging.format == .json)
    }

    private static func log(_ rest: String, _ fragment: String) -> WrongText {
        WrongText("gateway:\n  access_log:\n    to: stdout\n    \(rest)", 4, fragment)
    }

    private static func tracing(_ rest: String, _ fragment: String) -> WrongText {
        WrongText("tracing:\n  otlp: http://c:4318/v1/traces\n  \(rest)", 3, fragment)
    }

    @Test(arguments: [
        WrongText("gateway:\n  access_log:\n    format: json", 2, "does not say where to"),
        WrongText("gateway:\n  access_log:\n    to: off", 3, "use stdout, or a file's path"),
        WrongText("gateway:\n  access_log: [stdout]", 2, "should be off, stdout, a file's path or a mapping"),
        log("form: json", "did you mean `format`?"),
        log("format: common", "use json, combined"),
        log("fields: time", "should be a list of fields"),
        log("fields: []", "has no fields"),
        log("fields: [time, [a]]", "is not a field's name"),
        log("fields: [tiem]", "did you mean `time`?"),
        log("fields: [colour_of_hair]", "there are time, request_id"),
        log("fields: [time, time]", "twice"),
        log("fields: [\"header:\"]", "cannot be a header's name"),
        log("fields: [\"header:a b\"]", "cannot be a header's name"),
        log("fields: [\"header:Authorization\"]", "carries credentials"),
        log("fields: [\"header:Proxy_Authorization\"]", "carries credentials"),
        log("fields: [\"header:COOKIE\"]", "carries credentials"),
        log("fields: [\"header:X-API-Key\"]", "carries credentials"),
        log("redact: [status]", "cannot be redacted"),
        log("redact: [query]", "is not written at all"),
        log("redact: [\"query:token\"]", "`query` is redacted, but is not written at all"),
        log("sample: 10", "is not a percentage"),
        log("sample: 101%", "is more than all"),
        log("sample: -1%", "is not a percentage"),
        WrongText(
            "gateway:\n  access_log:\n    to: stdout\n    format: combined\n    fields: [time]", 5,
            "is for `format: json`"),
        WrongText(
            "gateway:\n  access_log:\n    to: stdout\n    format: combined\n    redact: [host]", 5,
            "is not written at all"),
        WrongText(
            "gateway:\n  access_log:\n    to: stdout\n    fields: [\"header:x-team_key\"]\nidentity:\n  api_keys:\n    header: X-Team-Key\n    keys: [{tenant: a, sha256: \"\(String(repeating: "0a", count: 32))\"}]",
            2, "`header:x-team_key` carries credentials"),
        WrongText("tracing: {}", 1, "does not say where spans are sent"),
        WrongText("tracing:\n  otlp: collector:4318", 2, "should be a URL like"),
        WrongText("tracing:\n  otlp: http://collector:4318", 2, "with the path for traces"),
        WrongText("tracing:\n  otlp: http://me:secret@collector/v1/traces", 2, "without a user"),
        WrongText("tracing:\n  otlp: ftp://collector/v1/traces", 2, "http or https"),
        tracing("sampel: 10%", "did you mean `sample`?"),
        tracing("sample: all", "is not a percentage"),
        tracing("trust: nobody", "use everyone, proxies"),
        tracing("service_name: \"\"", "is empty"),
        tracing("headers: [a]", "`tracing.headers` should be a mapping"),
        tracing("headers: {\"a b\": c}", "cannot be a header's name"),
        tracing("headers: {a: \"\"}", "visible ASCII"),
        tracing("headers: {a: {}}", "has no value"),
        tracing("headers: {a: {file: /nowhere}}", "there is no such file"),
        tracing("attributes: {a: [b]}", "should be a text"),
        tracing("batch: {most: 0}", "between 1 and 10000"),
        tracing("batch: {every: 1ms}", "between 10ms and 1m"),
        tracing("batch: {queue: 100}", "less than `most`, which is 512"),
        WrongText("logging:\n  level: verbose", 2, "use trace, debug"),
        WrongText("logging:\n  format: xml", 2, "use text, json"),
        WrongText("logging:\n  file: x", 2, "is not a key of `logging`"),
    ])
    func whatIsWrongWithWhatIsObserved(wrong: WrongText) {
        let found = faults(of: wrong.yaml)
        #expect(found.count == 1, "\(found)")
        #expect(found.first?.line == wrong.line, "\(found)")
        #expect(found.first?.message.contains(wrong.fragment) == true, "\(found)")
        #expect(!found.contains { $0.message.contains("secret") })
    }
}
