/// Credentials that were valid a moment ago, so that not every request pays for a hash. Only those get in, so strangers cannot fill it.
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
        // Takes as long whatever is different.
        var difference: UInt8 = 0
        for index in 0..<credential.count { difference |= entry.credential[index] ^ credential[index] }
        return difference == 0 ? entry.identity : nil
    }

    mutating func insert(_ credential: UnsafeRawBufferPointer, _ identity: Identity) {
        entries[place(of: credential)] = Entry(credential: Array(credential), identity: identity)
    }

    private func place(of credential: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: credential)
        return hasher.finalize() & (entries.count - 1)
    }
}
