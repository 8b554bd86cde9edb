extension ConfigurationReader {
    func readStore(_ file: Section) -> StoreSettings? {
        let keys = ["redis", "tls", "sentinel", "deadline", "replicas"]
        let notBuilt = ["on_store_failure": "write `on_store_failure` beside a limit"]
        guard let section = file.section("store", keys: keys, notBuilt: notBuilt) else { return nil }
        let redis = section.read("redis", "a URL like redis://127.0.0.1:6379", RedisAddress.init(parsing:))
        if !section.has("redis") {
            faults.add(
                "`store` names no Redis; add `redis: redis://127.0.0.1:6379`, or leave `store` out to count in memory",
                section.position)
        }
        var settings = StoreSettings(redis: redis ?? RedisAddress(host: "localhost"))
        settings.tls = readTLS(section)
        if let place = section.place(of: "tls"), let redis, !redis.usesTLS {
            faults.add(
                "`store.tls` says how TLS is used, but `store.redis` does not use it; begin the URL with rediss://, or remove `tls`",
                place)
        }
        settings.sentinel = readSentinel(section)
        let hasSentinels = if case .sentinel? = redis?.form { true } else { redis == nil }
        if let place = section.place(of: "sentinel"), !hasSentinels {
            faults.add(
                "`store.sentinel` is for sentinels, but `store.redis` names none; begin the URL with redis+sentinel://, or remove `sentinel`",
                place)
        }
        if let deadline = section.duration("deadline", in: .milliseconds(1)...Duration.seconds(10)) {
            settings.deadline = deadline
        }
        if let replicas = section.integer("replicas", in: 1...10_000) { settings.replicas = replicas }
        return settings
    }

    private func readSentinel(_ store: Section) -> SentinelSettings {
        var settings = SentinelSettings()
        guard let section = store.section("sentinel", keys: ["user", "password", "password_file"]) else {
            return settings
        }
        settings.user = section.text("user", "a user's name")?.text
        settings.password = readSecret("password", "password_file", section)
        if settings.user != nil, !section.has("password"), !section.has("password_file") {
            faults.add(
                "`store.sentinel` has a user without a password; add `password` or `password_file`", section.position)
        }
        return settings
    }

    private func readTLS(_ store: Section) -> TLSSettings {
        guard let section = store.section("tls", keys: ["ca_file", "certificate_file", "key_file"]) else {
            return TLSSettings()
        }
        for (key, other) in [("certificate_file", "key_file"), ("key_file", "certificate_file")] {
            if let place = section.place(of: key), !section.has(other) {
                faults.add(
                    "`store.tls.\(key)` needs `store.tls.\(other)` beside it: a client certificate and its key", place)
            }
        }
        let key = readPEM("key_file", section, of: "a private key") { text throws(ConfigurationError) in
            if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
                throw ConfigurationError("the key has a passphrase; remove it with `openssl pkey -in FILE -out FILE`")
            }
            return text.contains(" PRIVATE KEY-----")
        }
        return TLSSettings(
            authorityFile: readPEM("ca_file", section, of: "authorities' certificates", Self.hasCertificate),
            certificateFile: readPEM("certificate_file", section, of: "a certificate", Self.hasCertificate),
            keyFile: key)
    }

    private static func hasCertificate(_ text: String) -> Bool { text.contains("-----BEGIN CERTIFICATE-----") }

    /// The path of a file that holds what it should; messages hold nothing of it.
    private func readPEM(
        _ key: String, _ section: Section, of what: String, _ isIt: (String) throws(ConfigurationError) -> Bool
    ) -> String? {
        section.read(key, "a file's path") { path throws(ConfigurationError) in
            let (fits, resolved): (Bool, String)
            do throws(ConfigurationError) {
                let file = try faults.read(path)
                (fits, resolved) = (try isIt(file.text), file.path)
            } catch {
                throw ConfigurationError("the file `\(path)` cannot be used: \(error.message)")
            }
            guard fits else {
                throw ConfigurationError("the file `\(path)` does not hold \(what) in PEM form (-----BEGIN ...)")
            }
            return resolved
        }
    }
}
