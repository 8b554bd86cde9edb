import Foundation

/// Three sentinels that watch a primary with two replicas, on free ports, ended with the test.
package final class SentinelTrio: Sendable {
    package struct Options: Sendable {
        /// Of the sentinels.
        package var password: String?
        /// Of all: nothing is said in the clear.
        package var tls: RedisServer.TLS?

        package init(password: String? = nil, tls: RedisServer.TLS? = nil) {
            self.password = password
            self.tls = tls
        }
    }

    /// One of the three that watch.
    package final class Sentinel: Sendable {
        package let port: Int
        private let options: Options
        private let directory: URL
        private let process = ServerProcess()

        fileprivate init(at port: Int, watching primary: Int, _ options: Options) throws {
            self.port = port
            self.options = options
            directory = FileManager.default.temporaryDirectory
                .appendingPathComponent("weir-sentinel-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            var lines = [
                "bind 127.0.0.1", "dir \(directory.path)", "logfile sentinel.log",
                "sentinel monitor \(SentinelTrio.primaryName) 127.0.0.1 \(primary) 2",
                "sentinel down-after-milliseconds \(SentinelTrio.primaryName) 1000",
                "sentinel failover-timeout \(SentinelTrio.primaryName) 2000",
            ]
            if let tls = options.tls {
                lines += [
                    "port 0", "tls-port \(port)", "tls-replication yes", "tls-auth-clients no",
                    "tls-cert-file \(tls.certificate.certificate)", "tls-key-file \(tls.certificate.key)",
                    "tls-ca-cert-file \(tls.authority)",
                ]
            } else {
                lines.append("port \(port)")
            }
            if let password = options.password {
                lines += ["requirepass \(password)", "sentinel sentinel-pass \(password)"]
            }
            let file = directory.appendingPathComponent("sentinel.conf")
            try lines.joined(separator: "\n").write(to: file, atomically: true, encoding: .utf8)
            try process.start(["redis-server", file.path, "--sentinel"])
        }

        deinit { stop() }

        package func stop() {
            process.kill()
            try? FileManager.default.removeItem(at: directory)
        }

        package func kill() { process.kill() }

        package func pause() { process.pause() }

        package func resume() { process.resume() }

        /// Of the server that it calls the primary; nil: it does not answer.
        fileprivate func namedPort() throws -> Int? {
            try cli(["SENTINEL", "GET-MASTER-ADDR-BY-NAME", SentinelTrio.primaryName])
                .split(separator: "\n").last.flatMap { Int($0) }
        }

        @discardableResult
        package func cli(_ arguments: [String]) throws -> String {
            var command = ["redis-cli", "-h", "127.0.0.1", "-p", "\(port)"]
            if let password = options.password { command += ["--no-auth-warning", "-a", password] }
            if let tls = options.tls { command += ["--tls", "--cacert", tls.authority] }
            return try ServerProcess.output(command + arguments)
        }
    }

    fileprivate static let primaryName = "main"

    /// The first was the primary at the start.
    package let servers: [RedisServer]
    package let sentinels: [Sentinel]

    package static func start(_ options: Options = Options()) async throws -> SentinelTrio {
        let secure = options.tls == nil ? [] : [["tls-replication", "yes"]]
        let primary = try await RedisServer.start(RedisServer.Options(tls: options.tls, settings: secure))
        let follow = RedisServer.Options(
            tls: options.tls,
            settings: secure + [
                ["replicaof", "127.0.0.1", "\(primary.port)"], ["repl-diskless-sync-delay", "0"],
            ])
        let servers = [primary, try await RedisServer.start(follow), try await RedisServer.start(follow)]
        let sentinels = try ServerProcess.freePorts(3).map { try Sentinel(at: $0, watching: primary.port, options) }
        let trio = SentinelTrio(servers: servers, sentinels: sentinels)
        for sentinel in trio.sentinels {
            try await eventually(within: .seconds(20), "the sentinel on port \(sentinel.port) knows all others") {
                let known = Self.fields(try sentinel.cli(["SENTINEL", "MASTER", primaryName]))
                return known["num-slaves"] == "2" && known["num-other-sentinels"] == "2" && known["flags"] == "master"
            }
        }
        return trio
    }

    private init(servers: [RedisServer], sentinels: [Sentinel]) {
        self.servers = servers
        self.sentinels = sentinels
    }

    package func stop() {
        for sentinel in sentinels { sentinel.stop() }
        for server in servers { server.stop() }
    }

    package var url: String {
        "redis+sentinel://\(sentinels.map { "127.0.0.1:\($0.port)" }.joined(separator: ","))/\(Self.primaryName)"
    }

    /// Which server the first two sentinels that answer call the primary; nil: they do not agree.
    package func primary() throws -> RedisServer? {
        let ports = try sentinels.compactMap { try $0.namedPort() }
        guard ports.count >= 2, ports[0] == ports[1] else { return nil }
        return servers.first { $0.port == ports[0] }
    }

    /// Waits until the sentinels made another server the primary, and that knows it. Where nothing has failed, they are ordered to, as
    /// often as they do not go through with it.
    @discardableResult
    package func becomesPrimary(otherThan old: RedisServer, isOrdered: Bool = false) async throws -> RedisServer {
        var primary: RedisServer?
        try await eventually(within: .seconds(60), "a failover") {
            primary = try self.primary()
            guard let primary, primary !== old else {
                // Once this one has gone through with it, another order would replace the new primary too.
                if isOrdered, try sentinels[1].namedPort() == old.port {
                    try sentinels[1].cli(["SENTINEL", "FAILOVER", Self.primaryName])
                }
                return false
            }
            return try primary.cli(["ROLE"]).hasPrefix("master")
        }
        // A sentinel whose new primary dies before the replicas follow it is never through with that failover.
        if isOrdered {
            try await eventually(within: .seconds(60), "the end of the failover") {
                try Self.fields(sentinels[1].cli(["SENTINEL", "MASTER", Self.primaryName]))["flags"] == "master"
            }
        }
        return primary!
    }

    /// Waits until replicas have all that the primary has.
    package func replicasAreLevel() async throws {
        let primary = try require(primary())
        func information() throws -> [String: String] { Self.information(try primary.cli(["INFO", "replication"])) }
        // The sentinels write there too, so that it never stands still.
        guard let target = try information()["master_repl_offset"].flatMap({ Int($0) }) else {
            throw ServerProcess.Failure(description: "the primary does not say how far it is")
        }
        try await eventually("the replicas have caught up") {
            let fields = try information()
            return ["slave0", "slave1"].allSatisfy { name in
                let field = fields[name]?.split(separator: ",").first { $0.hasPrefix("offset=") }
                return field.flatMap { Int($0.dropFirst("offset=".count)) } ?? -1 >= target
            }
        }
    }

    private func require(_ server: RedisServer?) throws -> RedisServer {
        guard let server else { throw ServerProcess.Failure(description: "the sentinels do not agree on a primary") }
        return server
    }

    private static func fields(_ text: String) -> [String: String] {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        var fields: [String: String] = [:]
        for index in stride(from: 0, to: lines.count - 1, by: 2) { fields[lines[index]] = lines[index + 1] }
        return fields
    }

    private static func information(_ text: String) -> [String: String] {
        var fields: [String: String] = [:]
        for line in text.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            fields[String(line[..<colon])] = String(line[line.index(after: colon)...])
        }
        return fields
    }
}
