/// Lengths of time as people write them: `250us`, `20ms`, `10s`, `1.5s`, `2m`, `1m30s`, `1h`.
package enum TimeText {
    private static let units: [(name: String, nanoseconds: Double)] = [
        ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("min", 60e9), ("h", 3600e9),
    ]
    /// A hundred days.
    private static let longest = 100.0 * 86_400 * 1e9

    /// Nanoseconds, at most a hundred days. `what` is named where the text is wrong.
    package static func parse(_ text: some StringProtocol, _ what: String) throws(LoadError) -> Int64 {
        var rest = text[...]
        var total = 0.0
        var parts = 0
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let number = Double(String(digits)), let unit = units.first(where: { $0.name == name }) else {
                throw wrong(text, what)
            }
            total += number * unit.nanoseconds
            parts += 1
        }
        guard parts > 0, total <= longest else { throw wrong(text, what) }
        return Int64(total.rounded())
    }

    private static func wrong(_ text: some StringProtocol, _ what: String) -> LoadError {
        .usage("\(what): `\(text)` is not a length of time; write it like 250ms, 10s, 1m30s or 1h")
    }

    /// Three significant digits and the unit that suits: `1.24 ms`.
    package static func show(_ nanoseconds: Double) -> String {
        switch abs(nanoseconds) {
        case ..<999.5: return "\(NumberText.significant(nanoseconds)) ns"
        case ..<999.5e3: return "\(NumberText.significant(nanoseconds / 1e3)) µs"
        case ..<999.5e6: return "\(NumberText.significant(nanoseconds / 1e6)) ms"
        case ..<120e9: return "\(NumberText.significant(nanoseconds / 1e9)) s"
        default: return "\(NumberText.significant(nanoseconds / 60e9)) min"
        }
    }
}
