/// An IPv4 or IPv6 address as limits, trusted proxies and logs need it.
package struct ClientAddress: Hashable, Sendable, CustomStringConvertible {
    /// IPv4 addresses are held as IPv6 ones in `::ffff:0:0/96`, so that both forms of one address are equal.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    package init(ipv4: UInt32) { self.init(high: 0, low: 0xffff_0000_0000 | UInt64(ipv4)) }

    package var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

    package static let loopback = ClientAddress(ipv4: 0x7f00_0001)

    package var isLoopback: Bool { isIPv4 ? low >> 24 & 0xff == 127 : high == 0 && low == 1 }

    /// Reads `10.0.0.1`, `2001:db8::1`, `[2001:db8::1]`; no port, no zone. nil where it is neither.
    package init?(parsing bytes: some Collection<UInt8>) {
        var text = Array(bytes)
        guard text.count <= 47 else { return nil }
        if text.first == UInt8(ascii: "["), text.last == UInt8(ascii: "]") { text = Array(text.dropFirst().dropLast()) }
        if text.contains(UInt8(ascii: ":")) {
            guard let groups = Self.groups(of: text) else { return nil }
            self.init(
                high: groups[0..<4].reduce(0) { $0 << 16 | UInt64($1) },
                low: groups[4..<8].reduce(0) { $0 << 16 | UInt64($1) })
        } else {
            guard let address = Self.dotted(text[...]) else { return nil }
            self.init(ipv4: address)
        }
    }

    package init?(parsing text: String) { self.init(parsing: text.utf8) }

    private static func dotted(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var value: UInt32 = 0
            for byte in part {
                guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
                value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
            }
            guard value <= 255 else { return nil }
            address = address << 8 | value
        }
        return address
    }

    private static func groups(of text: [UInt8]) -> [UInt16]? {
        var before: [UInt16] = []
        var after: [UInt16] = []
        var sawGap = false
        var rest = text[...]
        if rest.starts(with: "::".utf8) {
            sawGap = true
            rest = rest.dropFirst(2)
        } else if rest.first == UInt8(ascii: ":") {
            return nil
        }
        while !rest.isEmpty {
            let part = rest.prefix { $0 != UInt8(ascii: ":") }
            rest = rest.dropFirst(part.count)
            var values: [UInt16] = []
            if part.contains(UInt8(ascii: ".")) {
                guard rest.isEmpty, let address = dotted(part) else { return nil }
                values = [UInt16(address >> 16), UInt16(truncatingIfNeeded: address)]
            } else {
                guard (1...4).contains(part.count) else { return nil }
                var value: UInt16 = 0
                for byte in part {
                    guard let digit = hexDigit(byte) else { return nil }
                    value = value << 4 | UInt16(digit)
                }
                values = [value]
            }
            if sawGap { after += values } else { before += values }
            if rest.isEmpty { break }
            if rest.starts(with: "::".utf8) {
                guard !sawGap else { return nil }
                sawGap = true
                rest = rest.dropFirst(2)
            } else {
                rest = rest.dropFirst()
                if rest.isEmpty { return nil }
            }
        }
        let missing = 8 - before.count - after.count
        guard sawGap ? missing >= 1 : missing == 0 else { return nil }
        return before + Array(repeating: 0, count: missing) + after
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// What a `client_ip` limit counts by: the IPv4 address, or the /64 of an IPv6 one.
    package func appendLimitValue(to bytes: inout [UInt8]) {
        if isIPv4 {
            appendDotted(to: &bytes)
        } else {
            for shift in stride(from: 60, through: 0, by: -4) {
                bytes.append(Self.hexDigits[Int(high >> UInt64(shift) & 15)])
            }
        }
    }

    private func appendDotted(to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] as [UInt64] {
            if shift < 24 { bytes.append(UInt8(ascii: ".")) }
            bytes.append(contentsOf: String(low >> shift & 0xff).utf8)
        }
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    /// `10.0.0.1`, or RFC 5952's form of an IPv6 address.
    package var description: String {
        var bytes: [UInt8] = []
        appendText(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The same as bytes.
    package func appendText(to bytes: inout [UInt8]) {
        guard !isIPv4 else { return appendDotted(to: &bytes) }
        let gap = longestGap
        var index = 0
        while index < 8 {
            if index == gap.lowerBound, !gap.isEmpty {
                bytes.append(UInt8(ascii: ":"))
                bytes.append(UInt8(ascii: ":"))
                index = gap.upperBound
                continue
            }
            if index > 0, index != gap.upperBound || gap.isEmpty { bytes.append(UInt8(ascii: ":")) }
            bytes.append(contentsOf: String(group(index), radix: 16).utf8)
            index += 1
        }
    }

    /// Sixteen bits, from the first on.
    private func group(_ index: Int) -> UInt16 {
        UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - index % 4 * 16))
    }

    /// The first of the longest runs of two or more groups that are 0.
    private var longestGap: Range<Int> {
        var gap = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, group(end) == 0 { end += 1 }
            if end - start > max(gap.count, 1) { gap = start..<end }
            start = end + 1
        }
        return gap
    }

    /// The network that it is in, for those who must not know more: the /24 of an IPv4 address, the /48 of an IPv6 one.
    package var network: ClientAddress {
        isIPv4 ? ClientAddress(high: high, low: low & ~0xff) : ClientAddress(high: high & ~0xffff, low: 0)
    }
}

/// A block of addresses, like `10.0.0.0/8` or `2001:db8::/32`; a lone address is a block of one.
package struct AddressBlock: Hashable, Sendable {
    package let base: ClientAddress
    /// Leading bits that count, of the 128 of the IPv6 form.
    package let prefixLength: Int

    package init?(parsing text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let base = ClientAddress(parsing: String(parts[0])) else { return nil }
        let offset = base.isIPv4 ? 96 : 0
        guard let length = parts.count == 1 ? 128 - offset : Int(parts[1]), (0...(128 - offset)).contains(length) else {
            return nil
        }
        self.base = base
        self.prefixLength = length + offset
    }

    package func contains(_ address: ClientAddress) -> Bool {
        Self.equal(address.high, base.high, bits: min(64, prefixLength))
            && Self.equal(address.low, base.low, bits: max(0, prefixLength - 64))
    }

    private static func equal(_ a: UInt64, _ b: UInt64, bits: Int) -> Bool {
        bits == 0 || (a ^ b) >> UInt64(64 - bits) == 0
    }
}
