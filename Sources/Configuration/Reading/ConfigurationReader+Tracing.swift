import Foundation

extension ConfigurationReader {
    func readTracing(_ file: Section) -> TracingSettings? {
        let keys = ["otlp", "headers", "sample", "trust", "service_name", "batch", "attributes"]
        guard let section = file.section("tracing", keys: keys) else { return nil }
        let example = "a URL like http://127.0.0.1:4318/v1/traces"
        if !section.has("otlp") {
            faults.add(
                "`tracing` does not say where spans are sent; add `otlp: http://127.0.0.1:4318/v1/traces`, or leave `tracing` out",
                section.position)
        }
        let collector = section.read("otlp", example) { text throws(ConfigurationError) in
            guard let url = URL(string: text), let host = url.host, !host.isEmpty,
                ["http", "https"].contains(url.scheme),
                url.path.count > 1, url.user == nil, url.fragment == nil
            else {
                throw ConfigurationError(
                    "`tracing.otlp` should be \(example): http or https, with the path for traces, and without a user, which `headers` say"
                )
            }
            return text
        }
        var settings = TracingSettings(collector: collector ?? "")
        settings.headers = readHeaders(section)
        if let sample = section.read("sample", "a percentage like 10%", Percentage.parse) { settings.sample = sample }
        if let trust = section.choice("trust", TracingSettings.Trust.allCases.map { ($0.rawValue, $0) }) {
            settings.trust = trust
        }
        if let (name, position) = section.text("service_name", "a name like weir") {
            settings.serviceName = name
            if name.isEmpty { faults.add("`tracing.service_name` is empty; remove it, or name the service", position) }
        }
        settings.batch = readBatch(section)
        settings.attributes = pairs("attributes", section, "an attribute").compactMap { name, value in
            guard case .scalar(let text, _) = value.content else {
                faults.add("`tracing.attributes.\(name)` should be a text, but is \(value.kind)", value.position)
                return nil
            }
            return TracingSettings.Pair(name: name, value: text)
        }
        return settings
    }

    private func readBatch(_ tracing: Section) -> TracingSettings.Batch {
        var batch = TracingSettings.Batch()
        guard let section = tracing.section("batch", keys: ["most", "every", "queue"]) else { return batch }
        if let most = section.integer("most", in: 1...10_000) { batch.most = most }
        if let interval = section.duration("every", in: .milliseconds(10)...Duration.seconds(60)) {
            batch.interval = interval
        }
        if let queue = section.integer("queue", in: 1...1_000_000) { batch.queue = queue }
        if batch.queue < batch.most {
            faults.add(
                "`tracing.batch.queue` is \(batch.queue), less than `most`, which is \(batch.most); make it at least that",
                section.place(of: "queue") ?? section.place(of: "most") ?? section.position)
        }
        return batch
    }

    /// Values are secrets: they stand here or in a file, and no message holds one.
    private func readHeaders(_ tracing: Section) -> [TracingSettings.Pair] {
        pairs("headers", tracing, "a header").compactMap { name, value in
            guard HeaderName.isValid(name) else {
                faults.add("`\(name)` in `tracing.headers` cannot be a header's name", value.position)
                return nil
            }
            let title = "tracing.headers.\(name)"
            if case .mapping = value.content {
                guard let section = Section(value, title, keys: ["file"], faults) else { return nil }
                if !section.has("file") {
                    faults.add("`\(title)` has no value; write a text, or {file: a path}", value.position)
                }
                return readSecretText("file", section, title).map { TracingSettings.Pair(name: name, value: $0) }
            }
            guard case .scalar(let text, _) = value.content, Self.isHeaderValue(text) else {
                faults.add(
                    "`\(title)` should be a text of visible ASCII characters, or {file: a path}", value.position)
                return nil
            }
            return TracingSettings.Pair(name: name, value: text)
        }
    }

    private func readSecretText(_ key: String, _ section: Section, _ title: String) -> String? {
        section.read(key, "a file's path") { path throws(ConfigurationError) in
            let text: String
            do throws(ConfigurationError) {
                text = try ConfigurationFile.read(ConfigurationFile.resolve(path, from: faults.file))
            } catch {
                throw ConfigurationError("the file `\(path)` of `\(title)` cannot be used: \(error.message)")
            }
            let value = text.trimmingCharacters(in: .whitespacesAndNewlines)
            guard Self.isHeaderValue(value) else {
                throw ConfigurationError(
                    "the file `\(path)` of `\(title)` should hold one line of visible ASCII characters")
            }
            return value
        }
    }

    private static func isHeaderValue(_ text: String) -> Bool {
        (1...4096).contains(text.utf8.count) && text.utf8.allSatisfy { (0x20...0x7E).contains($0) }
            && !text.hasPrefix(" ") && !text.hasSuffix(" ")
    }

    /// The members of a mapping whose keys are free.
    private func pairs(_ key: String, _ section: Section, _ what: String) -> [(name: String, value: YAMLValue)] {
        guard let place = section.place(of: key), let value = section.value(key) else { return [] }
        guard case .mapping(let members) = value.content else {
            faults.add("`\(section.title(key))` should be a mapping, but is \(value.kind)", place)
            return []
        }
        return members.compactMap { member in
            guard case .scalar(let name, _) = member.key.content, !name.isEmpty else {
                faults.add("the name of \(what) should be a word, but is \(member.key.kind)", member.key.position)
                return nil
            }
            return RenamedKeys.isMark(name) ? nil : (name, member.value)
        }
    }

    func readLogging(_ file: Section) -> LoggingSettings {
        var settings = LoggingSettings()
        guard let section = file.section("logging", keys: ["level", "format"]) else { return settings }
        if let level = section.choice("level", LoggingSettings.Level.allCases.map { ($0.rawValue, $0) }) {
            settings.level = level
        }
        if let format = section.choice("format", LoggingSettings.Format.allCases.map { ($0.rawValue, $0) }) {
            settings.format = format
        }
        return settings
    }
}
