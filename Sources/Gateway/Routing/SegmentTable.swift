/// Which node of a tree follows another one by a segment, for all nodes at once; fixed when it is built.
struct SegmentTable: Sendable {
    /// FNV-1a, from the node on.
    struct Hash {
        private(set) var value: UInt32

        @inline(__always)
        init(_ node: Int32) { value = (0x811c_9dc5 ^ UInt32(bitPattern: node)) &* 0x0100_0193 }

        @inline(__always)
        mutating func add(_ byte: UInt8) { value = (value ^ UInt32(byte)) &* 0x0100_0193 }
    }

    private struct Slot {
        var hash: UInt32 = 0
        var node: Int32 = 0
        var offset: Int32 = 0
        /// Below zero: free.
        var length: Int32 = -1
        var child: Int32 = 0
    }

    private var slots: [Slot]
    private var bytes: [UInt8] = []

    /// No two of one node and segment.
    init(_ entries: [(node: Int32, segment: [UInt8], child: Int32)]) {
        var capacity = 4
        while capacity < entries.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(), count: capacity)
        for entry in entries {
            var hash = Hash(entry.node)
            for byte in entry.segment { hash.add(byte) }
            var index = Int(hash.value) & (slots.count - 1)
            while slots[index].length >= 0 { index = (index + 1) & (slots.count - 1) }
            slots[index] = Slot(
                hash: hash.value, node: entry.node, offset: Int32(bytes.count), length: Int32(entry.segment.count),
                child: entry.child)
            bytes += entry.segment
        }
    }

    /// Below zero: there is none.
    func find(_ node: Int32, _ segment: UnsafeRawBufferPointer, _ hash: Hash) -> Int32 {
        var index = Int(hash.value) & (slots.count - 1)
        while true {
            let slot = slots[index]
            if slot.length < 0 { return -1 }
            if slot.hash == hash.value, slot.node == node, Int(slot.length) == segment.count,
                equals(segment, at: Int(slot.offset))
            {
                return slot.child
            }
            index = (index + 1) & (slots.count - 1)
        }
    }

    private func equals(_ segment: UnsafeRawBufferPointer, at offset: Int) -> Bool {
        bytes.withUnsafeBytes { stored in
            for index in 0..<segment.count where stored[offset + index] != segment[index] { return false }
            return true
        }
    }
}
