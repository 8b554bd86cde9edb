import Foundation

/// Three primaries, each with a third of the slots and a replica, on free ports, ended with the test.
package final class RedisCluster: Sendable {
    /// The first three were primaries at the start; the replica of the first is the fourth, and so on.
    package let servers: [RedisServer]

    package static func start() async throws -> RedisCluster {
        var servers: [RedisServer] = []
        for _ in 0..<6 {
            servers.append(
                try await RedisServer.start(
                    RedisServer.Options(
                        isClusterNode: true,
                        settings: [
                            ["cluster-node-timeout", "3000"], ["cluster-replica-validity-factor", "0"],
                            ["repl-diskless-sync-delay", "0"],
                            // One that is gone must not stop the others.
                            ["cluster-require-full-coverage", "no"],
                        ])))
        }
        let cluster = RedisCluster(servers: servers)
        for (index, server) in servers.enumerated() {
            try server.cli(["CLUSTER", "SET-CONFIG-EPOCH", "\(index + 1)"])
            guard index > 0 else { continue }
            try server.cli(["CLUSTER", "MEET", "127.0.0.1", "\(servers[0].port)", "\(servers[0].busPort)"])
        }
        for (index, range) in [("0", "5460"), ("5461", "10922"), ("10923", "16383")].enumerated() {
            try servers[index].cli(["CLUSTER", "ADDSLOTSRANGE", range.0, range.1])
        }
        for server in servers {
            try await eventually(within: .seconds(20), "all know all") {
                try server.cli(["CLUSTER", "INFO"]).contains("cluster_known_nodes:6")
            }
        }
        for index in 3..<6 {
            let primary = try servers[index - 3].cli(["CLUSTER", "MYID"])
            try await eventually("a replica") { try servers[index].cli(["CLUSTER", "REPLICATE", primary]) == "OK" }
        }
        try await cluster.isWhole()
        for index in 3..<6 {
            try await eventually(within: .seconds(20), "the replica is level") {
                try servers[index].cli(["INFO", "replication"]).contains("master_link_status:up")
            }
        }
        for server in servers {
            try await eventually(within: .seconds(20), "replicas are known") {
                try server.cli(["CLUSTER", "NODES"]).components(separatedBy: " slave ").count
                    + (try server.cli(["CLUSTER", "NODES"]).components(separatedBy: "myself,slave").count) == 5
            }
        }
        return cluster
    }

    private init(servers: [RedisServer]) { self.servers = servers }

    package func stop() { for server in servers { server.stop() } }

    /// Two nodes are enough to find the others.
    package var url: String {
        "redis+cluster://127.0.0.1:\(servers[0].port),127.0.0.1:\(servers[1].port)"
    }

    /// Every node says that all slots are there.
    private func isWhole() async throws {
        for server in servers {
            try await eventually(within: .seconds(20), "a whole cluster") {
                let state = try server.cli(["CLUSTER", "INFO"])
                return state.contains("cluster_state:ok") && state.contains("cluster_slots_ok:16384")
            }
        }
    }

    /// So many tenants whose keys' slots lie in `slots`.
    package static func tenants(_ count: Int, in slots: Range<Int>) -> [String] {
        var names: [String] = []
        var number = 0
        while names.count < count {
            number += 1
            let name = "tenant-\(number)"
            if slots.contains(slot(of: name)) { names.append(name) }
        }
        return names
    }

    /// The slot of a tag, bit by bit: CRC-16/XMODEM.
    private static func slot(of tag: String) -> Int {
        var crc: UInt16 = 0
        for byte in tag.utf8 {
            crc ^= UInt16(byte) << 8
            for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        }
        return Int(crc) % 16_384
    }

    /// Waits until `server` is a primary.
    package func becomesPrimary(_ server: RedisServer) async throws {
        try await eventually(within: .seconds(40), "a failover") { try server.cli(["ROLE"]).hasPrefix("master") }
    }

    /// Moves that many slots, the first ones, with what is in them.
    package func reshard(_ slots: Int, from source: RedisServer, to target: RedisServer) async throws {
        let (from, to) = (try source.cli(["CLUSTER", "MYID"]), try target.cli(["CLUSTER", "MYID"]))
        let port = servers[0].port
        // It runs long: it must not hold a thread that others need.
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try ServerProcess.output(
                            [
                                "redis-cli", "--cluster", "reshard", "127.0.0.1:\(port)", "--cluster-from", from,
                                "--cluster-to", to, "--cluster-slots", "\(slots)", "--cluster-yes",
                            ], mayFail: false)
                    }.map { _ in })
            }
        }
    }
}
