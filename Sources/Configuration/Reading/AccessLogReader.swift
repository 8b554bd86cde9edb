/// Reads `gateway.access_log`: a word or a path, or a mapping that says what is written too.
struct AccessLogReader {
    let faults: Faults

    /// Fields that carry credentials whatever else is configured.
    private static let credentials: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key",
    ]

    func read(_ gateway: Section) -> AccessLogSettings? {
        guard let place = gateway.place(of: "access_log"), let value = gateway.value("access_log") else { return nil }
        guard case .mapping = value.content else {
            return gateway.read("access_log", "off, stdout, a file's path or a mapping") {
                text throws(ConfigurationError) in
                AccessLogSettings(try destination(text, "gateway.access_log", orOff: true))
            }
        }
        let keys = ["to", "format", "fields", "redact", "sample"]
        guard let section = Section(value, "gateway.access_log", keys: keys, at: place, faults) else { return nil }
        var settings = AccessLogSettings()
        if !section.has("to") {
            faults.add("`gateway.access_log` does not say where to; add `to: stdout`, or a file's path", place)
        }
        let target = section.read("to", "stdout or a file's path") { text throws(ConfigurationError) in
            try destination(text, "gateway.access_log.to", orOff: false)
        }
        if let target { settings.destination = target }
        let formats = AccessLogSettings.Format.allCases.map { ($0.rawValue, $0) }
        if let format = section.choice("format", formats) { settings.format = format }
        readFields(section, into: &settings)
        readRedactions(section, into: &settings)
        if let sample = section.read("sample", "a percentage like 10%", Percentage.parse) { settings.sample = sample }
        return settings
    }

    private func destination(
        _ text: String, _ title: String, orOff: Bool
    ) throws(ConfigurationError) -> AccessLogSettings.Destination {
        switch text {
        case "off" where orOff: return .off
        case "stdout": return .standardOutput
        default:
            guard text.contains("/"), !text.hasSuffix("/"), !text.contains("\0") else {
                throw ConfigurationError(
                    "`\(text)` is no value of `\(title)`; use \(orOff ? "off, " : "")stdout, or a file's path with a slash in it, like ./access.log"
                )
            }
            return .file(ConfigurationFile.resolve(text, from: faults.file))
        }
    }

    private func readFields(_ section: Section, into settings: inout AccessLogSettings) {
        guard let list = section.list("fields", of: "fields like time, path or header:X-Version") else { return }
        if settings.format != .json, let place = section.place(of: "fields") {
            faults.add(
                "`gateway.access_log.fields` is for `format: json`; combined lines have fields of their own", place)
        }
        var fields: [AccessLogSettings.Field] = []
        for element in list {
            guard let field = read(element, "fields", Self.field) else { continue }
            if fields.contains(field) {
                faults.add("`\(field.name)` is in `gateway.access_log.fields` twice; keep one", element.position)
            }
            fields.append(field)
        }
        if list.isEmpty, let place = section.place(of: "fields") {
            faults.add("`gateway.access_log.fields` has no fields; name some, or remove the key", place)
        }
        settings.fields = fields
    }

    private func readRedactions(_ section: Section, into settings: inout AccessLogSettings) {
        for element in section.list("redact", of: "fields like query, client_ip or header:X-Version") ?? [] {
            let parameter = Self.parameter(element)
            let field = parameter == nil ? read(element, "redact", Self.field) : .query
            guard let field else { continue }
            guard field == .query || field == .clientIP || field.canBeHashed else {
                faults.add(
                    "`\(field.name)` cannot be redacted; leave it out of `fields`, or redact client_ip, query, query:<name>, host, path, tenant, user_agent, referer or header:<name>",
                    element.position)
                continue
            }
            if settings.format == .json ? !settings.fields.contains(field) : !Self.combined.contains(field) {
                faults.add("`\(field.name)` is redacted, but is not written at all; remove it here", element.position)
            }
            if let parameter {
                settings.redactedParameters.insert(parameter)
            } else {
                settings.redacted.insert(field)
            }
        }
    }

    /// What combined lines are made of and can be redacted.
    private static let combined: Set<AccessLogSettings.Field> = [
        .clientIP, .tenant, .path, .query, .referer, .userAgent,
    ]

    /// The name in `query:name`.
    private static func parameter(_ element: YAMLValue) -> String? {
        guard case .scalar(let text, _) = element.content, text.hasPrefix("query:") else { return nil }
        return String(text.dropFirst("query:".count))
    }

    private func read(
        _ element: YAMLValue, _ key: String, _ read: (String) throws(ConfigurationError) -> AccessLogSettings.Field
    ) -> AccessLogSettings.Field? {
        guard case .scalar(let text, _) = element.content else {
            faults.add("\(element.kind) in `gateway.access_log.\(key)` is not a field's name", element.position)
            return nil
        }
        return faults.at(element.position) { () throws(ConfigurationError) in try read(text) }
    }

    private static func field(_ text: String) throws(ConfigurationError) -> AccessLogSettings.Field {
        if text.hasPrefix("header:") {
            let name = text.dropFirst("header:".count).lowercased()
            guard HeaderName.isValid(name) else {
                throw ConfigurationError("`\(name)` cannot be a header's name; write it like header:X-Version")
            }
            if let fault = refusal(of: name, among: credentials) { throw fault }
            return .header(name)
        }
        let words = AccessLogSettings.Field.words
        if let known = words.first(where: { $0.0 == text }) { return known.1 }
        if let near = Spelling.nearest(text, in: words.map(\.0)) {
            throw ConfigurationError("`\(text)` is no field of the access log; did you mean `\(near)`?")
        }
        throw ConfigurationError(
            "`\(text)` is no field of the access log; there are \(words.map(\.0).joined(separator: ", ")) and header:<name>"
        )
    }

    private static func refusal(of name: String, among credentials: Set<String>) -> ConfigurationError? {
        guard credentials.contains(name.replacing("_", with: "-")) else { return nil }
        return ConfigurationError("`header:\(name)` carries credentials, which are not logged; remove it")
    }

    /// Which headers carry keys and tokens is known only when the identity has been read.
    func check(_ settings: AccessLogSettings, _ identity: IdentitySettings, _ file: Section) {
        let names = (identity.apiKeys.map { [$0.header] } ?? []) + identity.tokens.map(\.header)
        let credentials = Set(names.map { $0.replacing("_", with: "-") })
        for case .header(let header) in settings.fields + Array(settings.redacted) {
            guard let fault = Self.refusal(of: header, among: credentials) else { continue }
            faults.add(fault.message, file.place(of: "access_log", in: "gateway") ?? .start)
            return
        }
    }
}
