/// Numbers as lowercase hexadecimal digits.
package enum Hexadecimal {
    package static func append(_ number: UInt64, digits: Int = 16, to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: digits) { text in
            var rest = number
            var place = digits
            while place > 0 {
                place -= 1
                let digit = UInt8(truncatingIfNeeded: rest & 15)
                text[place] = digit + (digit < 10 ? UInt8(ascii: "0") : UInt8(ascii: "a") - 10)
                rest >>= 4
            }
            bytes.append(contentsOf: text)
        }
    }

    /// nil where a byte is none of the digits 0 to 9 and a to f; capitals are none of them.
    static func parse(_ bytes: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var number: UInt64 = 0
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): number = number << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): number = number << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return number
    }
}

/// A trace's 16 bytes; not all of them are 0.
package struct TraceID: Hashable, Sendable {
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Spread evenly, also where the ids of a caller are not.
    package var hash: UInt64 { Sampler.mix(low ^ Sampler.mix(high)) }

    /// 32 digits.
    package func append(to bytes: inout [UInt8]) {
        Hexadecimal.append(high, to: &bytes)
        Hexadecimal.append(low, to: &bytes)
    }

    package static let length = 32
}

/// Where in a trace something is: W3C Trace Context's `traceparent`.
package struct TraceContext: Hashable, Sendable {
    package var trace: TraceID
    /// The span that asks; not 0.
    package var span: UInt64
    /// As in version 00: 1 is sampled, 2 says that the id is random.
    package var flags: UInt8

    package init(trace: TraceID, span: UInt64, flags: UInt8) {
        self.trace = trace
        self.span = span
        self.flags = flags
    }

    package var isSampled: Bool { flags & 1 != 0 }

    /// Bytes of a value of version 00.
    package static let length = 55
    private static let knownFlags: UInt8 = 3

    /// The value of a `traceparent` field; nil where it is to be ignored. Later versions than 00 may go on after a hyphen, which is
    /// not read (W3C Trace Context §3.2 and §4.3).
    package init?(parsing value: UnsafeRawBufferPointer) {
        guard value.count >= Self.length,
            value[2] == UInt8(ascii: "-"), value[35] == UInt8(ascii: "-"), value[52] == UInt8(ascii: "-"),
            let version = Hexadecimal.parse(value[0..<2]), version != 0xff,
            let high = Hexadecimal.parse(value[3..<19]), let low = Hexadecimal.parse(value[19..<35]),
            let span = Hexadecimal.parse(value[36..<52]), let flags = Hexadecimal.parse(value[53..<55]),
            high | low != 0, span != 0
        else { return nil }
        if value.count > Self.length {
            guard version > 0, value[Self.length] == UInt8(ascii: "-") else { return nil }
        }
        trace = TraceID(high: high, low: low)
        self.span = span
        // Of a later version only the sampled flag is known.
        self.flags = UInt8(flags) & (version == 0 ? Self.knownFlags : 1)
    }
}

/// What a `tracestate` may have: W3C Trace Context §3.3.
package enum TraceState {
    package static let mostMembers = 32
    /// Bytes up to which a span tells it, which is what everybody passes on.
    package static let longest = 512

    /// How many members a value has, empty ones left out; nil where one is no `key=value`.
    package static func members(in value: UnsafeRawBufferPointer) -> Int? {
        var count = 0
        for member in value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: true) {
            let text = member.drop { $0 == 0x20 || $0 == 0x09 }
            if text.isEmpty { continue }
            guard let equals = text.firstIndex(of: UInt8(ascii: "=")), equals > text.startIndex,
                text[..<equals].allSatisfy(isOfKey),
                text[(equals + 1)...].allSatisfy({ (0x20...0x7E).contains($0) && $0 != UInt8(ascii: "=") })
            else { return nil }
            count += 1
        }
        return count
    }

    private static func isOfKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"),
            UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "@"):
            true
        default: false
        }
    }
}
