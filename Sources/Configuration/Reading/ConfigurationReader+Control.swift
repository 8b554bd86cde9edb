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
        if section.has("token"), let place = section.place(of: "token_file") {
            faults.add("there are both `control.token` and `control.token_file`; keep one of them", place)
        }
        let token = section.read("token", "a text") { text throws(ConfigurationError) in
            try checkToken(text, "`control.token`")
        }
        let fileToken = section.read("token_file", "a file's path") { path throws(ConfigurationError) in
            let text: String
            do throws(ConfigurationError) {
                text = try ConfigurationFile.read(ConfigurationFile.resolve(path, from: faults.file))
            } catch {
                throw ConfigurationError("the token file `\(path)` cannot be used: \(error.message)")
            }
            return try checkToken(trimmed(text), "the token in `\(path)`")
        }
        return token ?? fileToken
    }

    /// The message does not hold the token.
    private func checkToken(_ token: String, _ name: String) throws(ConfigurationError) -> String {
        guard !token.isEmpty else { throw ConfigurationError("\(name) is empty; make one with `openssl rand -hex 32`") }
        guard token.utf8.count <= 4096, token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw ConfigurationError(
                "\(name) is longer than 4096 bytes or has spaces or characters that are not ASCII; make one with `openssl rand -hex 32`"
            )
        }
        return token
    }

    private func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        return String(start.reversed().drop { $0.isWhitespace }.reversed())
    }
}
