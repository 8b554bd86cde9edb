import Foundation
import TestSupport
import Testing

/// Programs that others wrote, as clients of a whole `weir serve`.
@Suite(.serialized) struct ClientProgramTests {
    /// A program in the path; nil, and that is said: it is not installed.
    private static func program(_ name: String) -> URL? {
        let folders = (TestEnvironment["PATH"] ?? "").split(separator: ":").map(String.init)
        let path = folders.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
        if path == nil { print("\(name) is not installed, so it is no client here; scripts/test installs it") }
        return path.map { URL(filePath: $0) }
    }

    private static func withWeir(
        _ gateway: [String] = [], _ body: (WeirProcess, String, URL) async throws -> Void
    ) async throws {
        let upstream = try await ContentUpstream.start()
        let weir = try await WeirProcess.serve(
            """
            services:
              - name: content
                routes: [{path: /}]
                upstreams: ["http://127.0.0.1:\(upstream.port)"]
            """, gateway: gateway)
        let folder = FileManager.default.temporaryDirectory.appending(path: "weir-clients-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try await body(weir, "http://127.0.0.1:\(weir.gateway)", folder)
        weir.stop()
        try await upstream.stop()
    }

    @Test func curlIsAnsweredAsItAsks() async throws {
        guard let curl = Self.program("curl") else { return }
        try await Self.withWeir { _, url, folder in
            func run(_ arguments: String...) throws -> String {
                try CommandRun(["-sS", "-m", "20"] + arguments, of: curl, in: folder).output
            }
            let alphabet = String(decoding: ContentUpstream.bytes(0..<26), as: UTF8.self)
            #expect(try run("\(url)/bytes/26") == alphabet)
            // Two requests of one connection.
            #expect(
                try run("-w", " %{num_connects}\n", "\(url)/bytes/3", "\(url)/bytes/4") == "abc 1\nabcd 0\n")
            #expect(try run("-0", "-w", " %{http_code}", "\(url)/bytes/26") == "\(alphabet) 200")
            #expect(try run("-r", "3-5", "-w", " %{http_code}", "\(url)/bytes/26") == "def 206")
            let head = try run("-I", "\(url)/bytes/26")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.lowercased().contains("content-length: 26\r\n"))

            let body = Data(ContentUpstream.bytes(0..<300_000))
            try body.write(to: folder.appending(path: "body"))
            // In chunks, with a length, and with a length that waits for 100.
            for arguments in [
                ["-X", "POST", "-H", "Transfer-Encoding: chunked", "--data-binary", "@body"], ["-T", "body"],
                ["-H", "Expect: 100-continue", "--data-binary", "@body"],
            ] {
                _ = try CommandRun(
                    ["-sS", "-m", "20", "-o", "answer"] + arguments + ["\(url)/echo"], of: curl, in: folder)
                #expect(try Data(contentsOf: folder.appending(path: "answer")) == body, "\(arguments)")
            }
            let verbose = try CommandRun(
                [
                    "-sSv", "-m", "20", "-o", "answer", "-H", "Expect: 100-continue", "--data-binary", "@body",
                    "\(url)/echo",
                ],
                of: curl, in: folder)
            #expect(verbose.errors.contains("< HTTP/1.1 100 Continue"))
            // From a pipe, whose length nobody knows.
            let piped = try CommandRun(
                ["-c", "cat body | \(curl.path) -sS -m 20 -o answer -T - \(url)/echo"], of: URL(filePath: "/bin/sh"),
                in: folder)
            #expect(piped.status == 0)
            #expect(try Data(contentsOf: folder.appending(path: "answer")) == body)
        }
    }

    @Test func aHundredMebibytesGoUpAndComeDownUnchanged() async throws {
        guard let curl = Self.program("curl") else { return }
        try await Self.withWeir { weir, url, folder in
            let script = """
                head -c 104857600 /dev/urandom > up && \
                \(curl.path) -sS -m 60 -T up -o down \(url)/echo && cmp up down && \
                \(curl.path) -sS -m 60 -T - -o chunked \(url)/echo < up && cmp up chunked
                """
            let run = try CommandRun(["-c", script], of: URL(filePath: "/bin/sh"), in: folder)
            #expect(run.status == 0, "\(run.output) \(run.errors)")
            // It streams: far less than a body is in memory.
            print("after 100 MiB up and down: \(weir.residentBytes >> 20) MiB resident")
        }
    }

    @Test func pipelinedRequestsOfWrkAreAllAnswered() async throws {
        guard let wrk = Self.program("wrk") else { return }
        try await Self.withWeir { weir, url, folder in
            try """
            init = function(args)
              local requests = {}
              for i = 1, 16 do requests[i] = wrk.format("GET", "/bytes/" .. i) end
              pipeline = table.concat(requests)
            end
            request = function() return pipeline end

            """.write(to: folder.appending(path: "pipeline.lua"), atomically: true, encoding: .utf8)
            let run = try CommandRun(
                ["-t1", "-c16", "-d2s", "--timeout", "20s", "-s", "pipeline.lua", url], of: wrk, in: folder)
            #expect(run.status == 0)
            #expect(!run.output.contains("Non-2xx") && !run.output.contains("Socket errors"), "\(run.output)")
            // When its time is over, wrk leaves without the answers that are on their way.
            try await eventually("each request is answered, or its client has left") {
                let requests = try await weir.metric("weir_requests_total{service=\"content\"")
                let answered = try await weir.metric("weir_requests_total{service=\"content\",status=\"200\"")
                let left = try await weir.metric("weir_requests_total{service=\"content\",status=\"499\"")
                return answered > 16 && left <= 16 && answered + left == requests
            }
        }
    }

    /// The slow heads, slow bodies and slow readers of slowhttptest, all at once.
    @Test func slowClientsDoNotKeepOthersFromBeingServed() async throws {
        guard let slow = Self.program("slowhttptest") else { return }
        let settings = ["timeouts: {header: 1s, body: 1s, idle: 2s}", "min_body_rate: 1000"]
        try await Self.withWeir(settings) { weir, url, folder in
            let attacks = [
                ["-H", "-i", "1", "-u", "\(url)/bytes/10"],
                ["-B", "-i", "1", "-s", "100000", "-u", "\(url)/bytes/10"],
                ["-X", "-w", "1", "-y", "8", "-n", "1", "-z", "1", "-u", "\(url)/bytes/1000000"],
            ]
            var processes: [Process] = []
            for attack in attacks {
                let process = Process()
                process.executableURL = slow
                process.arguments = ["-c", "200", "-r", "200", "-l", "4", "-p", "1"] + attack
                process.currentDirectoryURL = folder
                process.standardOutput = FileHandle.nullDevice
                process.standardError = FileHandle.nullDevice
                try process.run()
                processes.append(process)
            }
            var served = 0
            while processes.contains(where: \.isRunning) {
                #expect(try await HTTP.get(weir.gateway, "/bytes/10").status == 200)
                served += 1
                try await Task.sleep(for: .milliseconds(10))
            }
            #expect(served > 10)
            // Whoever was too slow has been told so.
            #expect(try await weir.metric("weir_requests_total{service=\"\",status=\"408\"") > 0)
            #expect(try await weir.metric("weir_requests_total{service=\"content\",status=\"408\"") > 0)
        }
    }
}
