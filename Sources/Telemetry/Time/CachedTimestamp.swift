/// RFC 3339 times in UTC with milliseconds, `2026-03-01T12:00:00.042Z`, whose part up to the second is formatted once a second.
struct CachedTimestamp {
    private var second: Int64?
    /// Up to the decimal point.
    private var prefix: [UInt8] = []

    /// Adds the 24 bytes. Years past 9999 are written with more digits.
    mutating func append(epochMicroseconds: Int64, to bytes: inout [UInt8]) {
        let milliseconds = epochMicroseconds >= 0 ? epochMicroseconds / 1000 : (epochMicroseconds - 999) / 1000
        let fraction = (milliseconds % 1000 + 1000) % 1000
        let epochSeconds = (milliseconds - fraction) / 1000
        if second != epochSeconds {
            second = epochSeconds
            format(CivilTime(epochSeconds: epochSeconds))
        }
        bytes.append(contentsOf: prefix)
        bytes.appendDecimal(fraction, width: 3)
        bytes.append(UInt8(ascii: "Z"))
    }

    private mutating func format(_ time: CivilTime) {
        prefix.removeAll(keepingCapacity: true)
        prefix.appendDecimal(Int64(time.year), width: 4)
        for (separator, value) in [
            ("-", time.month), ("-", time.day), ("T", time.hour), (":", time.minute), (":", time.second),
        ] {
            prefix += separator.utf8
            prefix.appendDecimal(Int64(value), width: 2)
        }
        prefix.append(UInt8(ascii: "."))
    }
}
