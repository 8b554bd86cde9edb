import LimiterCore
import WeirConfiguration

/// Who stands behind a chain of proxies.
enum ForwardedFor {
    /// The right-most address of an X-Forwarded-For value that is not a trusted proxy's; the left-most where all are.
    ///
    /// The second part says whether that settles it: false where all were trusted, so that an earlier field may go on.
    /// Behind something that is no address nobody is believed: the last good one counts.
    static func client(
        in value: UnsafeRawBufferPointer, behind peer: ClientAddress, trusting blocks: [AddressBlock]
    ) -> (address: ClientAddress, isSettled: Bool) {
        var client = peer
        var end = value.count
        while end > 0 {
            var start = end
            while start > 0, value[start - 1] != UInt8(ascii: ",") { start -= 1 }
            guard let address = address(trimmed(value[start..<end])) else { return (client, true) }
            client = address
            guard blocks.contains(where: { $0.contains(address) }) else { return (client, true) }
            end = start - 1
        }
        return (client, false)
    }

    private static func trimmed(_ text: Slice<UnsafeRawBufferPointer>) -> UnsafeRawBufferPointer {
        var text = text
        while let first = text.first, first == 0x20 || first == 0x09 { text.removeFirst() }
        while let last = text.last, last == 0x20 || last == 0x09 { text.removeLast() }
        return UnsafeRawBufferPointer(rebasing: text)
    }

    /// An address as proxies write it, with or without a port.
    static func address(_ text: UnsafeRawBufferPointer) -> ClientAddress? {
        if let address = dotted(text) { return address }
        if text.first == UInt8(ascii: "["), let end = text.firstIndex(of: UInt8(ascii: "]")) {
            return ClientAddress(parsing: text[...end])
        }
        return ClientAddress(parsing: text)
    }

    /// `10.0.0.1` or `10.0.0.1:8080`, without an allocation.
    private static func dotted(_ text: UnsafeRawBufferPointer) -> ClientAddress? {
        var (address, part, digits, dots) = (UInt32(0), UInt32(0), 0, 0)
        for byte in text {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits == 0 || part > 0 else { return nil }
                part = part * 10 + UInt32(byte - UInt8(ascii: "0"))
                digits += 1
                guard part <= 255 else { return nil }
            case UInt8(ascii: ".") where digits > 0 && dots < 3:
                (address, part, digits, dots) = (address << 8 | part, 0, 0, dots + 1)
            case UInt8(ascii: ":") where digits > 0 && dots == 3:
                return ClientAddress(ipv4: address << 8 | part)
            default: return nil
            }
        }
        return digits > 0 && dots == 3 ? ClientAddress(ipv4: address << 8 | part) : nil
    }
}
