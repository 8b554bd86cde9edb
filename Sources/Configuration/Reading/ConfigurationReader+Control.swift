extension ConfigurationReader {
    func readControl(_ file: Section) -> ControlSettings {
        var settings = ControlSettings()
        guard let section = file.section("control", keys: ["listen", "token", "token_file"]) else { return settings }
        if let listen = section.read("listen", "an address like 127.0.0.1:8081", ListenAddress.init(parsing:)) {
            settings.listen = listen
        }
        settings.token = readToken(section)
        if !settings.listen.isLoopback, !section.has("token"), !section.has("token_file") {
            faults.add(
                "the control listener \(settings.listen) can be reached from other machines, so it needs a `token` or a `token_file`; or listen on 127.0.0.1",
                section.place(of: "listen") ?? section.position)
        }
        return settings
    }

    private func readToken(_ section: Section) -> String? {
        readSecret("token", "token_file", section, hint: "; make one with `openssl rand -hex 32`")
    }

    /// A secret that stands here, or in a file that is named here. Messages do not hold it.
    func readSecret(_ key: String, _ fileKey: String, _ section: Section, hint: String = "") -> String? {
        if section.has(key), let place = section.place(of: fileKey) {
            faults.add(
                "there are both `\(section.title(key))` and `\(section.title(fileKey))`; keep one of them", place)
        }
        let secret = section.read(key, "a text") { text throws(ConfigurationError) in
            try checkSecret(text, "`\(section.title(key))`", hint)
        }
        let fileSecret = section.read(fileKey, "a file's path") { path throws(ConfigurationError) in
            let text: String
            do throws(ConfigurationError) {
                text = try faults.read(path).text
            } catch {
                throw ConfigurationError("the \(key) file `\(path)` cannot be used: \(error.message)")
            }
            return try checkSecret(trimmed(text), "the \(key) in `\(path)`", hint)
        }
        return secret ?? fileSecret
    }

    private func checkSecret(
        _ secret: String, _ name: String, _ hint: String
    ) throws(ConfigurationError) -> String {
        guard !secret.isEmpty else { throw ConfigurationError("\(name) is empty\(hint)") }
        guard secret.utf8.count <= 4096, secret.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ConfigurationError(
                "\(name) is longer than 4096 bytes or has spaces or characters that are not ASCII\(hint)")
        }
        return secret
    }

    private func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
