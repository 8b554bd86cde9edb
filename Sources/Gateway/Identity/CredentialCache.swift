/// Credentials that were valid a moment ago, so that not every request pays for a hash or a signature. Only those get in, so strangers
/// cannot fill it.
///
/// Each credential has one place, by a hash with a secret seed; another one that belongs there takes it over.
struct CredentialCache<Identity: AnyObject> {
    /// Beside each other, so that a look copies neither.
    private var credentials: [[UInt8]]
    private var identities: [Identity?]

    /// At most so many entries; a power of two.
    init(capacity: Int = 4096) {
        precondition(capacity & (capacity - 1) == 0)
        credentials = Array(repeating: [], count: capacity)
        identities = Array(repeating: nil, count: capacity)
    }

    func find(_ credential: UnsafeRawBufferPointer) -> Identity? {
        let place = place(of: credential)
        guard credentials[place].count == credential.count else { return nil }
        return credentials[place].withUnsafeBytes { Self.difference($0, credential) } == 0 ? identities[place] : nil
    }

    mutating func insert(_ credential: UnsafeRawBufferPointer, _ identity: Identity) {
        let place = place(of: credential)
        credentials[place] = Array(credential)
        identities[place] = identity
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
        return hasher.finalize() & (credentials.count - 1)
    }
}
