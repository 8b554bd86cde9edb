/// Credentials that were valid a moment ago, so that not every request pays for a hash or a signature. Only those get in, so strangers
/// cannot fill it.
///
/// Each credential has one place, by a hash with a secret seed; another one that belongs there takes it over.
struct CredentialCache<Identity: AnyObject> {
    private struct Entry {
        let credential: [UInt8]
        let identity: Identity
    }

    private var entries: [Entry?]

    /// At most so many entries; a power of two.
    init(capacity: Int = 4096) {
        precondition(capacity & (capacity - 1) == 0)
        entries = Array(repeating: nil, count: capacity)
    }

    func find(_ credential: UnsafeRawBufferPointer) -> Identity? {
        guard let entry = entries[place(of: credential)], entry.credential.count == credential.count else { return nil }
        return entry.credential.withUnsafeBytes { Self.difference($0, credential) } == 0 ? entry.identity : nil
    }

    mutating func insert(_ credential: UnsafeRawBufferPointer, _ identity: Identity) {
        entries[place(of: credential)] = Entry(credential: Array(credential), identity: identity)
    }

    /// Of as many bytes; takes as long whatever is different.
    private static func difference(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> UInt64 {
        var difference: UInt64 = 0
        var index = 0
        while index &+ 8 <= a.count {
            difference |=
                a.loadUnaligned(fromByteOffset: index, as: UInt64.self)
                ^ b.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            index &+= 8
        }
        while index < a.count {
            difference |= UInt64(a[index] ^ b[index])
            index &+= 1
        }
        return difference
    }

    /// By its last bytes: of a token those of its signature, which are different in each.
    private func place(of credential: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: UnsafeRawBufferPointer(rebasing: credential.suffix(64)))
        return hasher.finalize() & (entries.count - 1)
    }
}
