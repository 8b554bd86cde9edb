/// HTTP's date, `Sun, 06 Nov 1994 08:49:37 GMT`, formatted once a second. It belongs to one event loop.
package struct CachedDate {
    private var second: Int64?
    private var text: [UInt8] = []

    package init() {}

    /// The 29 bytes of RFC 9110's IMF-fixdate. Allocates only when the second has changed.
    package mutating func bytes(epochSeconds: Int64) -> [UInt8] {
        if second != epochSeconds {
            second = epochSeconds
            text = Self.format(CivilTime(epochSeconds: epochSeconds))
        }
        return text
    }

    private static func format(_ time: CivilTime) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(29)
        text += weekdays[time.weekday]
        text += ", ".utf8
        text.appendDecimal(Int64(time.day), width: 2)
        text += months[time.month - 1]
        text.appendDecimal(Int64(time.year), width: 4)
        for (separator, value) in [(" ", time.hour), (":", time.minute), (":", time.second)] {
            text += separator.utf8
            text.appendDecimal(Int64(value), width: 2)
        }
        text += " GMT".utf8
        return text
    }

    private static let weekdays = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"].map { Array($0.utf8) }
    private static let months = [
        " Jan ", " Feb ", " Mar ", " Apr ", " May ", " Jun ", " Jul ", " Aug ", " Sep ", " Oct ", " Nov ", " Dec ",
    ].map { Array($0.utf8) }
}
