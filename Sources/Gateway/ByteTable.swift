/// Numbers by byte strings, fixed when it is built. A look-up by a hash that the caller has at hand allocates nothing.
struct ByteTable: Sendable {
    /// FNV-1a, so that all prefixes of a text are hashed in one pass. The entries are the configuration's, not a client's:
    /// whoever provokes collisions pays with a comparison each, bounded by the longest run of full slots.
    struct Hash: Sendable {
        private(set) var value: UInt32 = 0x811c_9dc5

        init() {}

        init(_ text: [UInt8]) { for byte in text { add(byte) } }

        @inline(__always)
        mutating func add(_ byte: UInt8) { value = (value ^ UInt32(byte)) &* 0x0100_0193 }
    }

    private struct Slot {
        var hash: UInt32 = 0
        var offset: Int32 = 0
        /// Below zero: free.
        var length: Int32 = -1
        var number: Int32 = 0
    }

    private var slots: [Slot]
    private var bytes: [UInt8] = []
    private(set) var count = 0

    /// The first of equal entries wins.
    init(_ entries: [(key: [UInt8], number: Int)]) {
        var capacity = 4
        while capacity < entries.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(), count: capacity)
        for entry in entries { insert(entry.key, entry.number) }
    }

    var isEmpty: Bool { count == 0 }

    private mutating func insert(_ key: [UInt8], _ number: Int) {
        let hash = Hash(key)
        guard key.withUnsafeBytes({ find($0, hash: hash) }) == nil else { return }
        var index = Int(hash.value) & (slots.count - 1)
        while slots[index].length >= 0 { index = (index + 1) & (slots.count - 1) }
        slots[index] = Slot(
            hash: hash.value, offset: Int32(bytes.count), length: Int32(key.count), number: Int32(number))
        bytes += key
        count += 1
    }

    func find(_ key: UnsafeRawBufferPointer, hash: Hash) -> Int? {
        var index = Int(hash.value) & (slots.count - 1)
        while true {
            let slot = slots[index]
            if slot.length < 0 { return nil }
            if slot.hash == hash.value, Int(slot.length) == key.count, equals(key, at: Int(slot.offset)) {
                return Int(slot.number)
            }
            index = (index + 1) & (slots.count - 1)
        }
    }

    private func equals(_ key: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        bytes.withUnsafeBytes { stored in
            for index in 0..<key.count where stored[offset + index] != key[index] { return false }
            return true
        }
    }
}
