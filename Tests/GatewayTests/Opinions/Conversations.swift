import Glibc
import Synchronization

/// Connections that each send some bytes from an address of their own on loopback, and read until the other side closes.
struct Conversations {
    struct Outcome {
        /// Where it came from: nobody else has used this address.
        let source: String
        var answer: [UInt8] = []
        /// False: the other side kept the connection open for longer than anybody should.
        var wasClosed = false

        var text: String { String(decoding: answer, as: UTF8.self) }

        /// Of the answers, in their order; those on the way to an answer are left out.
        var statuses: [Int] {
            text.split(separator: "HTTP/1.1 ", omittingEmptySubsequences: false).dropFirst()
                .compactMap { Int($0.prefix(3)) }.filter { $0 >= 200 }
        }
    }

    /// So many at once.
    private static let most = 128
    private static let patience = Duration.seconds(8)
    /// 127.16.0.0
    private static let first: UInt32 = 0x7f10_0000
    private static let taken = Atomic<UInt32>(0)

    /// Whether a conversation was held from this address.
    static func hasUsed(_ source: String) -> Bool {
        let numbers = source.split(separator: ".").compactMap { UInt32($0) }
        guard numbers.count == 4 else { return false }
        let address = numbers.reduce(0) { $0 << 8 | $1 }
        return address > first && address <= first + taken.load(ordering: .relaxed)
    }

    /// One outcome for each message, in their order.
    static func hold(_ messages: [[UInt8]], with port: Int) throws -> [Outcome] {
        var outcomes: [Outcome] = []
        var open: [(descriptor: Int32, index: Int, deadline: ContinuousClock.Instant)] = []
        defer { for connection in open { close(connection.descriptor) } }
        while outcomes.count < messages.count || !open.isEmpty {
            while outcomes.count < messages.count, open.count < most {
                let (descriptor, source) = try connect(to: port)
                open.append((descriptor, outcomes.count, .now + patience))
                let bytes = messages[outcomes.count]
                outcomes.append(Outcome(source: source))
                // Whoever closes before it has everything has said all that it wants to say.
                _ = bytes.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            }
            var polled = open.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
            poll(&polled, nfds_t(polled.count), 100)
            let now = ContinuousClock.now
            for place in open.indices.reversed() {
                let isOver =
                    polled[place].revents != 0
                    ? try read(open[place].descriptor, into: &outcomes[open[place].index])
                    : open[place].deadline < now
                guard isOver else { continue }
                close(open[place].descriptor)
                open.swapAt(place, open.count - 1)
                open.removeLast()
            }
        }
        return outcomes
    }

    private static func connect(to port: Int) throws -> (Int32, String) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Wire.Failure(description: "no socket: errno \(errno)") }
        let number = taken.add(1, ordering: .relaxed).newValue
        var source = Wire.loopback(0)
        let address = first + number
        source.sin_addr.s_addr = address.bigEndian
        var target = Wire.loopback(port)
        let isConnected =
            with(&source) { bind(descriptor, $0, $1) } == 0
            && with(&target) { Glibc.connect(descriptor, $0, $1) } == 0
        guard isConnected else {
            close(descriptor)
            throw Wire.Failure(description: "cannot connect to port \(port): errno \(errno)")
        }
        return (descriptor, "127.\(address >> 16 & 0xff).\(address >> 8 & 0xff).\(address & 0xff)")
    }

    private static func with(
        _ address: inout sockaddr_in, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    /// True: there is no more to read.
    private static func read(_ descriptor: Int32, into outcome: inout Outcome) throws -> Bool {
        let piece = [UInt8](unsafeUninitializedCapacity: 16_384) { memory, count in
            count = max(0, recv(descriptor, memory.baseAddress, 16_384, 0))
        }
        if piece.isEmpty { outcome.wasClosed = true }
        outcome.answer += piece
        return piece.isEmpty
    }
}
