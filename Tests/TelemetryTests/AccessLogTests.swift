import Foundation
import Glibc
import Synchronization
import Testing

@testable import Telemetry

@Suite struct AccessLogTests {
    /// A file of its own that is gone afterwards.
    private final class Scratch {
        let path = FileManager.default.temporaryDirectory
            .appendingPathComponent("weir-access-\(UUID().uuidString).log").path

        deinit { try? FileManager.default.removeItem(atPath: path) }

        /// Makes it a named pipe, and opens the end that is read from.
        func openAsPipe() -> Int32 {
            #expect(mkfifo(path, 0o600) == 0)
            return open(path, O_RDONLY | O_NONBLOCK)
        }

        var lines: [Substring] {
            let data = FileManager.default.contents(atPath: path) ?? Data()
            return String(decoding: data, as: UTF8.self).split(separator: "\n")
        }

        func object(_ line: Substring) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
    }

    @Test func aLineIsOneJSONObject() throws {
        let file = Scratch()
        let log = try AccessLog(.file(file.path))
        let writer = log.makeWriter()
        let nasty: [UInt8] = Array("/a\"b\\\n\u{1b}[31m".utf8) + [0xFF, 0x00]
        writer.beginObject()
        writer.field("time", timeOf: 1_772_366_400_042_000)
        nasty.withUnsafeBytes { writer.field("path", $0) }
        writer.field("tenant", "acmé")
        writer.field("outcome", "allowed" as StaticString)
        writer.field("status", 200)
        writer.field("bytes_out", Int64.max)
        writer.field("degraded", false)
        writer.field("duration_ms", millisecondsOf: 12_345_678)
        writer.field("upstream_ms", millisecondsOf: -3)
        writer.endObject()
        writer.handOver()
        #expect(log.flush(within: .seconds(20)))
        let line = try #require(file.lines.first)
        let object = try file.object(line)
        #expect(object["time"] as? String == "2026-03-01T12:00:00.042Z")
        #expect(object["path"] as? String == "/a\"b\\\n\u{1b}[31m\u{FFFD}\u{0}")
        #expect(object["tenant"] as? String == "acmé")
        #expect(object["outcome"] as? String == "allowed")
        #expect(object["status"] as? Int == 200)
        #expect(object["bytes_out"] as? Int64 == .max)
        #expect(object["degraded"] as? Bool == false)
        #expect(line.contains("\"duration_ms\":12.345,\"upstream_ms\":0.000}"))
        log.close()
    }

    @Test func linesOfManyWorkersArriveWholeAndInOrder() async throws {
        let file = Scratch()
        let (workers, rounds) = (4, 5000)
        // Room for all lines, so that nothing is lost.
        let log = try AccessLog(.file(file.path), queueBytes: 64 << 20)
        await withTaskGroup(of: Void.self) { group in
            for worker in 0..<workers {
                group.addTask {
                    let writer = log.makeWriter(batchBytes: 1000)
                    for round in 0..<rounds {
                        writer.beginObject()
                        writer.field("worker", worker)
                        writer.field("round", round)
                        writer.endObject()
                    }
                    writer.handOver()
                }
            }
        }
        #expect(log.flush(within: .seconds(20)))
        var next = [Int](repeating: 0, count: workers)
        for line in file.lines {
            let object = try file.object(line)
            let worker = try #require(object["worker"] as? Int)
            #expect(object["round"] as? Int == next[worker])
            next[worker] += 1
        }
        #expect(next == [Int](repeating: rounds, count: workers))
        log.close()
    }

    @Test func aFullQueueDropsAndCountsWithoutWaiting() throws {
        // A pipe that nobody reads: once it is full, the thread that writes is stuck.
        let pipe = Scratch()
        let reader = pipe.openAsPipe()
        let dropped = Mutex(0)
        let log = try AccessLog(.file(pipe.path), queueBytes: 100_000) { lines in dropped.withLock { $0 += lines } }
        let writer = log.makeWriter(batchBytes: 10_000)
        let text = String(repeating: "x", count: 80)
        let lines = 20_000
        for line in 0..<lines {
            writer.beginObject()
            writer.field("line", line)
            writer.field("text", text)
            writer.endObject()
        }
        let lost = dropped.withLock { $0 }
        #expect(lost > lines / 2)

        // Read on: what was kept arrives, and kept and lost are all there is.
        writer.handOver()
        var received: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            let count = read(reader, &chunk, chunk.count)
            if count > 0 { received += chunk[..<count] }
            writer.handOver()
            let arrived = received.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
            if arrived + lost == lines { break }
        }
        #expect(received.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) } + lost == lines)
        log.close()
        close(reader)
    }

    @Test func aReaderThatLeftIsAnErrorAndNotTheEnd() throws {
        let pipe = Scratch()
        let reader = pipe.openAsPipe()
        let dropped = Mutex(0)
        let log = try AccessLog(.file(pipe.path)) { lines in dropped.withLock { $0 += lines } }
        close(reader)
        let writer = log.makeWriter()
        for _ in 0..<3 {
            writer.beginObject()
            writer.endObject()
        }
        writer.handOver()
        #expect(log.flush(within: .seconds(20)))
        #expect(dropped.withLock { $0 } == 3)
        log.close()
    }

    @Test func aFileIsAppendedToAndFoundAgainAfterARotation() throws {
        let (file, rotated) = (Scratch(), Scratch())
        try Data("{\"old\":true}\n".utf8).write(to: URL(fileURLWithPath: file.path))
        let log = try AccessLog(.file(file.path))
        let writer = log.makeWriter()
        func write(_ number: Int) {
            writer.beginObject()
            writer.field("number", number)
            writer.endObject()
            writer.handOver()
            #expect(log.flush(within: .seconds(20)))
        }
        write(1)
        try FileManager.default.moveItem(atPath: file.path, toPath: rotated.path)
        write(2)
        log.reopen()
        write(3)
        #expect(rotated.lines.count == 3)
        #expect(file.lines.count == 1)
        #expect(try file.object(file.lines[0])["number"] as? Int == 3)
        log.close()
    }

    @Test func aLineAfterTheEndIsCounted() throws {
        let file = Scratch()
        let dropped = Mutex(0)
        let log = try AccessLog(.file(file.path)) { lines in dropped.withLock { $0 += lines } }
        let writer = log.makeWriter()
        writer.beginObject()
        writer.endObject()
        writer.handOver()
        log.close()
        writer.beginObject()
        writer.endObject()
        writer.handOver()
        #expect(file.lines.count == 1)
        #expect(dropped.withLock { $0 } == 1)
        #expect(log.flush(within: .seconds(20)))
    }

    @Test func aFileThatCannotBeOpenedIsNamed() {
        let error = #expect(throws: TelemetryError.self) { try AccessLog(.file("/nowhere/access.log")) }
        #expect(error?.code == .cannotOpen)
        #expect(error?.message.contains("/nowhere/access.log") == true)
    }
}
