/// Numbers as people read them.
package enum NumberText {
    /// `1,234,567`
    package static func grouped(_ number: Int) -> String {
        var digits = String(number.magnitude)
        var groups: [String] = []
        while digits.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        return (number < 0 ? "-" : "") + ([digits] + groups).joined(separator: ",")
    }

    /// Three significant digits, more where the whole part has more: `0.0123`, `1.20`, `12.3`, `1,234`.
    package static func significant(_ number: Double) -> String {
        let size = abs(number)
        guard size.isFinite else { return number.isNaN ? "-" : "∞" }
        if size == 0 { return "0" }
        if size >= 99.95 { return grouped(Int(number.rounded())) }
        var decimals = size >= 9.995 ? 1 : 2
        var scale = size
        while scale < 1, decimals < 6 {
            scale *= 10
            decimals += 1
        }
        return fixed(number, decimals: decimals)
    }

    /// As `significant`, without a fraction that is 0: `50`, `12.5`.
    package static func compact(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? grouped(Int(number)) : significant(number)
    }

    /// So many digits after the point.
    package static func fixed(_ number: Double, decimals: Int) -> String {
        guard number.isFinite, abs(number) < 1e15 else { return number.isNaN ? "-" : "∞" }
        var scale = 1
        for _ in 0..<decimals { scale *= 10 }
        let scaled = Int((abs(number) * Double(scale)).rounded())
        let sign = number < 0 && scaled != 0 ? "-" : ""
        guard decimals > 0 else { return sign + String(scaled) }
        let fraction = String(scaled % scale)
        return sign + "\(scaled / scale)." + String(repeating: "0", count: decimals - fraction.count) + fraction
    }

    /// `3 tenants`, `1 tenant`
    package static func count(_ number: Int, _ noun: String) -> String {
        "\(grouped(number)) \(noun)\(number == 1 ? "" : "s")"
    }

    package static func percent(_ percent: Double) -> String {
        "\(compact(percent)) %"
    }
}
