/// How the key of a counter is put together: `weir:{<tenant tag>}:<limit>:<scope>:<window and algorithm>`.
///
/// The tag alone decides the cluster slot. A limit without a tenant has a tag of its own, `~<limit>`; no tenant can
/// have it, because `~` is encoded in values.
struct KeyTemplate: Sendable {
    enum Piece: Sendable {
        case bytes([UInt8])
        /// The value of the group's dimension with this index.
        case value(Int)
    }

    let pieces: [Piece]
    /// The key that new callers share once the limit has as many keys as it may.
    let overflowPieces: [Piece]
    /// The dimensions whose values the scope names, in order.
    let otherValues: [Int]
    /// What follows the tag, and what the key ends with.
    private let middle: [UInt8]
    private let end: [UInt8]
    /// A hash of what is the same in all keys of the limit.
    let identity: KeyHash
    /// Bytes of `weir:{`, behind which the tag begins.
    static let tagStart = 6

    init(_ scoped: ScopedLimit, service: String?, route: String?, dimensions: [Dimension]) {
        let limit = scoped.limit
        var name = limit.name
        if let service = scoped.owner.service { name += "@" + Self.encoded(service) }
        if let route = scoped.owner.route { name += "@" + Self.encoded(route) }
        let tenant = limit.needsTenant ? dimensions.firstIndex(of: .tenant) : nil

        var scope: [Piece] = []
        for dimension in limit.per where dimension != .tenant {
            if !scope.isEmpty { scope.append(.bytes(Array(",".utf8))) }
            switch dimension {
            case .service: scope.append(.bytes(Array(Self.encoded(service ?? "").utf8)))
            case .route: scope.append(.bytes(Array(Self.encoded(route ?? "").utf8)))
            default: scope.append(.value(dimensions.firstIndex(of: dimension)!))
            }
        }
        let start = Piece.bytes(Array("weir:{".utf8))
        let ownTag = Piece.bytes(Array("~\(name)".utf8))
        self.middle = Array("}:\(name):".utf8)
        self.end = Array(":\(Self.suffix(scoped))".utf8)
        let (middle, end) = (Piece.bytes(self.middle), Piece.bytes(self.end))
        let tag = tenant.map { Piece.value($0) } ?? ownTag
        pieces = Self.joined([start, tag, middle] + scope + [end])
        otherValues = scope.compactMap { if case .value(let index) = $0 { index } else { nil } }
        let fixed: [UInt8] = pieces.flatMap { piece -> [UInt8] in
            if case .bytes(let bytes) = piece { bytes } else { [0] }
        }
        identity = fixed.withUnsafeBytes { KeyHash(hashing: $0, key: (0x7765_6972, 0x6c69_6d69_74)) }
        let overflowTag = scope.isEmpty ? ownTag : tag
        overflowPieces = Self.joined([start, overflowTag, middle, .bytes(Array("~".utf8)), end])
    }

    /// A window's length is part of its key, so that another length starts anew; a bucket keeps its tokens when its rate changes.
    /// A calendar quota counts on where its zone or its anchor are changed.
    private static func suffix(_ scoped: ScopedLimit) -> String {
        let rule = scoped.rule
        switch scoped.limit.algorithm {
        case .slidingWindow: return "w\(rule.periodMicroseconds / 1_000_000)"
        case .tokenBucket: return rule.tickMicroseconds == 1 ? "b" : rule.tickMicroseconds == 1000 ? "bm" : "bs"
        case .calendar(let period): return "c\(period.unit.rawValue.prefix(1))"
        }
    }

    /// Whether this is a key of the limit. A tag holds no brace.
    func isOf(_ key: [UInt8]) -> Bool {
        guard let brace = key.firstIndex(of: UInt8(ascii: "}")) else { return false }
        return key[brace...].starts(with: middle) && key.reversed().starts(with: end.reversed())
    }

    private static func joined(_ pieces: [Piece]) -> [Piece] {
        pieces.reduce(into: []) { result, piece in
            if case .bytes(let next) = piece, case .bytes(let last)? = result.last {
                result[result.count - 1] = .bytes(last + next)
            } else {
                result.append(piece)
            }
        }
    }

    private static func encoded(_ text: String) -> String {
        var bytes: [UInt8] = []
        Array(text.utf8).withUnsafeBytes { KeyEncoding.append($0, to: &bytes) }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Values that others choose, made safe as a part of a key: `[A-Za-z0-9._-]` stay, all else becomes `%XX`.
/// A long value is replaced by `~` and its 128-bit hash, an empty one by a lone `%`.
enum KeyEncoding {
    private static let longestPlainValue = 96

    static func append(_ value: UnsafeRawBufferPointer, to bytes: inout [UInt8]) {
        if value.isEmpty {
            // An empty tag would be none: the slot would depend on the whole key.
            bytes.append(UInt8(ascii: "%"))
            return
        }
        if value.count > longestPlainValue {
            let hash = KeyHash(hashing: value, key: (0x7765_6972_2d6b_6579, 0x6c6f_6e67_2d76_616c))
            bytes.append(UInt8(ascii: "~"))
            for word in [hash.high, hash.low] {
                for shift in stride(from: 60, through: 0, by: -4) {
                    bytes.append(hexDigits[Int(word >> UInt64(shift) & 15)])
                }
            }
            return
        }
        if value.allSatisfy(isPlain) {
            bytes.append(contentsOf: value)
            return
        }
        for byte in value {
            if isPlain(byte) {
                bytes.append(byte)
            } else {
                bytes.append(UInt8(ascii: "%"))
                bytes.append(hexDigits[Int(byte >> 4)])
                bytes.append(hexDigits[Int(byte & 15)])
            }
        }
    }

    private static let hexDigits = Array("0123456789ABCDEF".utf8)

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"),
            UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
