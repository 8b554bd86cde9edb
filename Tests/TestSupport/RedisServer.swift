import Foundation

/// A Redis of the test's own: a process on a free port with an empty directory, ended with the test.
package final class RedisServer: Sendable {
    package struct Options: Sendable {
        /// One node that has all slots.
        package var isCluster = false
        /// A node of a cluster that has no slots yet.
        package var isClusterNode = false
        /// For the user `default`.
        package var password: String?
        /// TLS on its port, and nothing else.
        package var tls: TLS?
        /// Further lines of configuration, each as its words: `["maxmemory", "1mb"]`.
        package var settings: [[String]] = []

        package init(
            isCluster: Bool = false, isClusterNode: Bool = false, password: String? = nil, tls: TLS? = nil,
            settings: [[String]] = []
        ) {
            self.isCluster = isCluster
            self.isClusterNode = isClusterNode
            self.password = password
            self.tls = tls
            self.settings = settings
        }
    }

    package struct TLS: Sendable {
        package var certificate: Certificates.Pair
        /// What clients' certificates are signed by.
        package var authority: String
        package var asksForCertificate = false
        /// What redis-cli shows.
        package var client: Certificates.Pair

        package init(_ certificates: Certificates, _ certificate: Certificates.Pair, asksForCertificate: Bool = false) {
            self.certificate = certificate
            authority = certificates.authority
            client = certificates.client
            self.asksForCertificate = asksForCertificate
        }
    }

    package let port: Int
    /// Where nodes of a cluster talk to each other.
    package let busPort: Int
    private let options: Options
    private let directory: URL
    private let process = ServerProcess()

    package static func start(_ options: Options = Options()) async throws -> RedisServer {
        var lastError: any Error = ServerProcess.Failure(description: "not tried")
        // Another process may take the port between finding and using it.
        for _ in 0..<5 {
            do {
                let server = try RedisServer(options)
                try await server.launch()
                return server
            } catch { lastError = error }
        }
        throw lastError
    }

    private init(_ options: Options) throws {
        self.options = options
        let ports = try ServerProcess.freePorts(2)
        (port, busPort) = (ports[0], ports[1])
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("weir-redis-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit {
        stop()
    }

    /// Ends it at once and forgets its directory.
    package func stop() {
        kill()
        try? FileManager.default.removeItem(at: directory)
    }

    /// As if the machine had failed. `restart` brings it back, without what it knew.
    package func kill() { process.kill() }

    /// It keeps its connections and says nothing.
    package func pause() { process.pause() }

    package func resume() { process.resume() }

    /// Ends it if it runs, and starts it on the same port.
    package func restart() async throws {
        kill()
        try await launch()
    }

    /// What `redis-cli` prints for this command, without the last line end.
    @discardableResult
    package func cli(_ arguments: [String]) throws -> String {
        var command = ["redis-cli", "-h", "127.0.0.1", "-p", "\(port)"]
        if let password = options.password { command += ["--no-auth-warning", "-a", password] }
        if let tls = options.tls {
            command += ["--tls", "--cacert", tls.authority, "--cert", tls.client.certificate, "--key", tls.client.key]
        }
        return try ServerProcess.output(command + arguments)
    }

    // MARK: Starting

    private func launch() async throws {
        try process.start(command)
        do {
            try await eventually(within: .seconds(10), "Redis on port \(port)") {
                guard process.isRunning else {
                    throw ServerProcess.Failure(description: "redis-server ended: \(log)")
                }
                return try cli(["PING"]).contains("PONG")
            }
            if options.isCluster {
                try cli(["CLUSTER", "ADDSLOTSRANGE", "0", "16383"])
                try await eventually(within: .seconds(10), "a cluster of one") {
                    try cli(["CLUSTER", "INFO"]).contains("cluster_state:ok")
                }
            }
        } catch {
            kill()
            throw error
        }
    }

    private var command: [String] {
        var command = [
            "redis-server", "--bind", "127.0.0.1", "--dir", directory.path, "--save", "", "--appendonly", "no",
            "--logfile", "redis.log", "--daemonize", "no",
        ]
        if let tls = options.tls {
            command += [
                "--port", "0", "--tls-port", "\(port)", "--tls-cert-file", tls.certificate.certificate,
                "--tls-key-file", tls.certificate.key, "--tls-ca-cert-file", tls.authority,
                "--tls-auth-clients", tls.asksForCertificate ? "yes" : "no",
            ]
        } else {
            command += ["--port", "\(port)"]
        }
        if options.isCluster, options.tls != nil { command += ["--tls-cluster", "yes"] }
        if options.isCluster || options.isClusterNode {
            command += ["--cluster-enabled", "yes", "--cluster-port", "\(busPort)"]
        }
        if let password = options.password { command += ["--requirepass", password] }
        for line in options.settings { command += ["--\(line[0])"] + line.dropFirst() }
        return command
    }

    private var log: String {
        (try? String(contentsOf: directory.appendingPathComponent("redis.log"), encoding: .utf8)) ?? "no log"
    }
}
