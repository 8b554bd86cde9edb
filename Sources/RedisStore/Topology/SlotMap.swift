import LimiterCore
import WeirConfiguration

/// Which primary has which of a cluster's 16,384 slots. A value: made from what a node says, changed by what nodes correct.
struct SlotMap: Hashable {
    static let slots = 16_384

    /// All that have slots, in no order that matters.
    private(set) var primaries: [RedisAddress.Server] = []
    /// Whoever else could be asked for the map.
    private(set) var replicas: [RedisAddress.Server] = []
    /// By slot, an index of `primaries`; below zero: nobody has it.
    private var owners = [Int16](repeating: -1, count: slots)

    /// Reads the answer to `CLUSTER SLOTS` of `asked`, which may leave out its own host. nil: it is none.
    init?(_ answer: RedisValue, asked: RedisAddress.Server) {
        guard let ranges = answer.array, !ranges.isEmpty else { return nil }
        for range in ranges {
            guard let parts = range.array, parts.count >= 3, let first = parts[0].integer,
                let last = parts[1].integer, 0 <= first, first <= last, last < Self.slots,
                let primary = Self.server(parts[2], asked: asked)
            else { return nil }
            let owner = index(of: primary)
            for slot in first...last { owners[Int(slot)] = owner }
            replicas += parts.dropFirst(3).compactMap { Self.server($0, asked: asked) }
        }
    }

    private static func server(_ value: RedisValue, asked: RedisAddress.Server) -> RedisAddress.Server? {
        guard let parts = value.array, parts.count >= 2, let port = parts[1].integer.flatMap({ Int(exactly: $0) }),
            (1...65_535).contains(port)
        else { return nil }
        // A node that does not know its own address leaves it out, and `?` stands for a name that is not known.
        let host = parts[0].text.flatMap { $0.isEmpty || $0 == "?" ? nil : $0 } ?? asked.host
        return RedisAddress.Server(host: host, port: port)
    }

    /// An index of `primaries`.
    func ownerIndex(of slot: Int) -> Int? { owners[slot] < 0 ? nil : Int(owners[slot]) }

    func owner(of slot: Int) -> RedisAddress.Server? { owners[slot] < 0 ? nil : primaries[Int(owners[slot])] }

    /// A node said that another one has this slot.
    mutating func move(_ slot: Int, to server: RedisAddress.Server) { owners[slot] = index(of: server) }

    private mutating func index(of server: RedisAddress.Server) -> Int16 {
        if let known = primaries.firstIndex(of: server) { return Int16(known) }
        primaries.append(server)
        return Int16(primaries.count - 1)
    }

    // MARK: Keys

    /// The slot of a key: that of what stands in its first braces, unless nothing does.
    static func slot(of key: UnsafeRawBufferPointer) -> Int {
        let tag = tag(of: key)
        var crc: UInt16 = 0
        for index in tag {
            crc = crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ key[index])]
        }
        return Int(crc) & (slots - 1)
    }

    private static func tag(of key: UnsafeRawBufferPointer) -> Range<Int> {
        guard let open = key.firstIndex(of: UInt8(ascii: "{")),
            let close = key[(open + 1)...].firstIndex(of: UInt8(ascii: "}")), close > open + 1
        else { return 0..<key.count }
        return open + 1..<close
    }

    /// CRC-16/XMODEM, polynomial 0x1021.
    private static let table: [UInt16] = (0..<256).map { byte in
        (0..<8).reduce(UInt16(byte) << 8) { crc, _ in crc & 0x8000 != 0 ? crc << 1 ^ 0x1021 : crc << 1 }
    }
}
