/// An issuer's keys.
package final class KeySet: Equatable, Sendable {
    package let keys: [VerificationKey]

    /// Keys that a set may have.
    package static let mostKeys = 256

    init(_ keys: [VerificationKey]) { self.keys = keys }

    /// A secret alone; nil: it is too short for any algorithm.
    package convenience init?(secret: [UInt8]) {
        guard let key = VerificationKey(secret: secret) else { return nil }
        self.init([key])
    }

    /// Which key a token's signature is to be checked with.
    package enum Choice: Sendable {
        case keys([VerificationKey])
        /// No key of the set has this id: it may be a newer one's.
        case unknownID
        /// Keys that could have made the signature there are none of, or, without an id, several.
        case unsuitable
    }

    /// `id` is what it is compared with and nothing else: never a path, an address, or a part of a query.
    package func choose(id: [UInt8]?, for algorithm: SignatureAlgorithm) -> Choice {
        guard let id else {
            let fitting = keys.filter { $0.fits(algorithm) }
            return fitting.count == 1 ? .keys(fitting) : .unsuitable
        }
        let named = keys.filter { $0.id == id }
        guard !named.isEmpty else { return .unknownID }
        let fitting = named.filter { $0.fits(algorithm) }
        return fitting.isEmpty ? .unsuitable : .keys(fitting)
    }

    /// The algorithms of all its keys.
    package var algorithms: Set<SignatureAlgorithm> {
        Set(SignatureAlgorithm.allCases.filter { algorithm in keys.contains { $0.fits(algorithm) } })
    }

    package static func == (a: KeySet, b: KeySet) -> Bool { a.keys == b.keys }
}
