import LimiterCore
import NIOCore
import Testing
import TestSupport
import WeirConfiguration

@testable import RedisStore

/// What real servers answer in their various distresses, and what follows. Scripts that are forgotten, servers that are full or turn
/// read-only, redirections and passwords have tests of their own.
@Suite struct ErrorTableTests {
    private static func limits() throws -> LimitGroup { try DeclaredLimits(.window("global", "1000/h")).group }

    enum Distress: String, CaseIterable, Sendable {
        case noReplicas = "NOREPLICAS"
        case misconfigured = "MISCONF"
        case loading = "LOADING"
        case busy = "BUSY"
        case primaryDown = "MASTERDOWN"
        case clusterDown = "CLUSTERDOWN"
        case noPermission = "NOPERM"
        /// A script may less than it tries.
        case noPermissionInside = "ERR The user executing the script"

        var options: RedisServer.Options {
            switch self {
            case .misconfigured:
                RedisServer.Options(settings: [["enable-protected-configs", "yes"]])
            case .loading: RedisServer.Options(settings: [["enable-debug-command", "yes"]])
            case .clusterDown: RedisServer.Options(isCluster: true)
            default: RedisServer.Options()
            }
        }

        /// What makes it so; a command that lasts as long as the distress is given back.
        func begin(_ server: RedisServer) throws -> ServerProcess? {
            switch self {
            case .noReplicas: try server.cli(["CONFIG", "SET", "min-replicas-to-write", "1"])
            case .misconfigured:
                try server.cli(["CONFIG", "SET", "save", "3600 1", "dir", "/proc"])
                try server.cli(["BGSAVE"])
            case .loading:
                try server.cli(["DEBUG", "POPULATE", "2000"])
                try server.cli([
                    "CONFIG", "SET", "key-load-delay", "500", "loading-process-events-interval-bytes", "1024",
                ])
                return try command(server, ["DEBUG", "RELOAD"])
            case .busy:
                try server.cli(["CONFIG", "SET", "busy-reply-threshold", "10"])
                return try command(server, ["EVAL", "while true do end", "0"])
            case .primaryDown:
                try server.cli(["CONFIG", "SET", "replica-serve-stale-data", "no", "replica-read-only", "no"])
                try server.cli(["REPLICAOF", "127.0.0.1", "1"])
            case .clusterDown: try server.cli(["CLUSTER", "DELSLOTS", "0"])
            case .noPermission: try server.cli(["ACL", "SETUSER", "default", "-evalsha"])
            case .noPermissionInside: try server.cli(["ACL", "SETUSER", "default", "-mget"])
            }
            return nil
        }

        func end(_ server: RedisServer) throws {
            switch self {
            case .noReplicas: try server.cli(["CONFIG", "SET", "min-replicas-to-write", "0"])
            case .misconfigured: try server.cli(["CONFIG", "SET", "save", ""])
            case .loading: break
            case .busy: try server.cli(["SCRIPT", "KILL"])
            case .primaryDown: try server.cli(["REPLICAOF", "NO", "ONE"])
            case .clusterDown: try server.cli(["CLUSTER", "ADDSLOTS", "0"])
            case .noPermission, .noPermissionInside: try server.cli(["ACL", "SETUSER", "default", "+@all"])
            }
        }

        private func command(_ server: RedisServer, _ words: [String]) throws -> ServerProcess {
            let process = ServerProcess()
            try process.start(["redis-cli", "-p", "\(server.port)"] + words)
            return process
        }
    }

    @Test(arguments: Distress.allCases)
    func aServerInDistressRefusesAndRecoversOnTheSameConnection(distress: Distress) async throws {
        let group = try Self.limits()
        try await withStore(distress.options, deadline: .seconds(2)) { server, client in
            #expect(try await client.decide(Question(group: group)).isAllowed)
            let lasting = try distress.begin(server)
            defer { lasting?.kill() }
            var refusal: StoreError?
            try await eventually("\(distress.rawValue)") {
                refusal = try await client.decide(Question(group: group)).error
                return refusal?.detail.hasPrefix(distress.rawValue) == true
            }
            let isAboutRights = distress == .noPermission || distress == .noPermissionInside
            #expect(refusal?.code == (isAboutRights ? .unauthorized : .refused))
            #expect(try await client.isReady(), "connecting again would not cure it")
            try distress.end(server)
            try await eventually("decisions again") { try await client.decide(Question(group: group)).isAllowed }
        }
    }

    @Test func aServerThatWantsAPasswordIsNotAskedInAStorm() async throws {
        let server = try await RedisServer.start(RedisServer.Options(password: "right"))
        defer { server.stop() }
        let client = try await StoreClient(port: server.port)
        let group = try Self.limits()
        try await eventually("the refusal") {
            try await client.decide(Question(group: group)).error?.detail.hasPrefix("NOAUTH") == true
        }
        let waits = try await client.onLoop { store, _ in if case .waiting = store.phase { true } else { false } }
        #expect(waits)
        try await client.shutdown()
    }

    @Test func peopleHearOfEachKindOfRefusalOnceAMinute() throws {
        let (oom, misconf) = (StoreError(.refused, "OOM command not allowed"), StoreError(.refused, "MISCONF no"))
        let access = try RedisAccess(.init(redis: .init(host: "a")))
        #expect(access.mayAlarm(of: oom, at: .uptimeNanoseconds(0)))
        #expect(!access.mayAlarm(of: oom, at: .uptimeNanoseconds(59_999_999_999)))
        #expect(access.mayAlarm(of: misconf, at: .uptimeNanoseconds(1)))
        #expect(access.mayAlarm(of: oom, at: .uptimeNanoseconds(60_000_000_000)))
    }
}
