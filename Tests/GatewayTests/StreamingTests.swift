import Foundation
import Synchronization
import Testing
import WeirConfiguration

struct StreamingTests {
    private static let size = 64 << 20
    private static let piece = [UInt8](repeating: 0x61, count: 1 << 20)

    /// Resident bytes of this process.
    private static func residentBytes() -> Int {
        guard let file = fopen("/proc/self/statm", "r") else { return 0 }
        defer { fclose(file) }
        var (total, resident) = (0, 0)
        withUnsafeMutablePointer(to: &total) { total in
            withUnsafeMutablePointer(to: &resident) { resident in
                withVaList([total, resident]) { _ = vfscanf(file, "%ld %ld", $0) }
            }
        }
        return resident * 4096
    }

    @Test func aLargeUploadFlowsAtTheUpstreamsPace() async throws {
        let mayRead = Mutex(false)
        let received = Mutex(0)
        let upstream = TestUpstream { _, wire, _ in
            let reader = MessageReader(wire)
            _ = try reader.nextHead()
            while !mayRead.withLock({ $0 }) { usleep(1000) }
            var count = reader.rest.count
            while count < Self.size, let bytes = try wire.receive() { count += bytes.count }
            let total = count
            received.withLock { $0 = total }
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
            _ = try wire.receive()
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            let before = Self.residentBytes()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: \(Self.size)\r\n\r\n")
            let wire = client.wire
            let counter = Counter()
            Thread.detachNewThread {
                for _ in 0..<(Self.size / Self.piece.count) {
                    guard (try? wire.send(Self.piece)) != nil else { return }
                    counter.add(Self.piece.count)
                }
            }
            // It stops by itself: what nobody reads is not taken from the client.
            var last = -1
            let hasStopped = await eventually {
                defer { last = counter.value }
                usleep(50_000)
                return counter.value == last && last < Self.size
            }
            #expect(hasStopped)
            #expect(counter.value < Self.size)
            #expect(Self.residentBytes() - before < 48 << 20)
            mayRead.withLock { $0 = true }
            #expect(try client.next()?.text == "ok")
        }
        #expect(received.withLock { $0 } == Self.size)
    }

    private final class Counter: Sendable {
        private let count = Mutex(0)
        func add(_ number: Int) { count.withLock { $0 += number } }
        var value: Int { count.withLock { $0 } }
    }

    @Test(arguments: [true, false])
    func aLargeDownloadFlowsAtTheClientsPace(isChunked: Bool) async throws {
        let counter = Counter()
        let upstream = TestUpstream { _, wire, _ in
            _ = try MessageReader(wire).next(isResponse: false)
            let framing = isChunked ? "Transfer-Encoding: chunked" : "Content-Length: \(Self.size)"
            try wire.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n")
            for _ in 0..<(Self.size / Self.piece.count) {
                if isChunked { try wire.send("100000\r\n") }
                try wire.send(Self.piece)
                if isChunked { try wire.send("\r\n") }
                counter.add(Self.piece.count)
            }
            if isChunked { try wire.send("0\r\n\r\n") }
            _ = try wire.receive()
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            let before = Self.residentBytes()
            try client.wire.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = try client.nextHead()
            var last = -1
            let hasStopped = await eventually {
                defer { last = counter.value }
                usleep(50_000)
                return counter.value == last
            }
            #expect(hasStopped)
            #expect(counter.value < Self.size)
            #expect(Self.residentBytes() - before < 48 << 20)
            var count = client.rest.count
            if isChunked {
                var tail: [UInt8] = client.rest.suffix(8)
                while !tail.suffix(5).elementsEqual("0\r\n\r\n".utf8) {
                    guard let bytes = try client.wire.receive() else { break }
                    count += bytes.count
                    tail = Array((tail + bytes).suffix(8))
                }
                #expect(count > Self.size)
            } else {
                while count < Self.size, let bytes = try client.wire.receive() { count += bytes.count }
                #expect(count == Self.size)
            }
        }
    }

    /// The body of the request and the answer flow at the same time.
    @Test func bothBodiesFlowAtOnce() async throws {
        let upstream = TestUpstream { _, wire, _ in
            let reader = MessageReader(wire)
            _ = try reader.nextHead()
            try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 8388608\r\n\r\n")
            var count = reader.rest.count
            if count > 0 { try wire.send(reader.rest) }
            while count < 8 << 20, let bytes = try wire.receive() {
                try wire.send(bytes)
                count += bytes.count
            }
            _ = try wire.receive()
        }
        defer { upstream.stop() }
        try await withGateway(Setup(upstream)) { gateway async throws in
            let client = try gateway.connect()
            try client.wire.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8388608\r\n\r\n")
            let wire = client.wire
            Thread.detachNewThread { for _ in 0..<8 { try? wire.send(Self.piece) } }
            let answer = try client.next()
            #expect(answer?.body.count == 8 << 20)
        }
    }
}
