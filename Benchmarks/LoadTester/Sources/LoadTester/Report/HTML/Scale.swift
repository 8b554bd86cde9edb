/// From numbers to places on a plot.
struct Scale {
    enum Kind {
        case linear
        case logarithmic
        /// Percentiles by their nines: 90, 99 and 99.9 lie evenly apart.
        case nines
    }

    let kind: Kind
    let domain: ClosedRange<Double>
    let places: (from: Double, to: Double)

    func place(_ number: Double) -> Double {
        let (low, high) = (position(domain.lowerBound), position(domain.upperBound))
        guard high > low else { return places.from }
        let part = (position(min(max(number, domain.lowerBound), domain.upperBound)) - low) / (high - low)
        return places.from + (places.to - places.from) * part
    }

    private func position(_ number: Double) -> Double {
        switch kind {
        case .linear: number
        case .logarithmic: MathFunctions.decimalLogarithm(max(number, 1e-9))
        case .nines: -MathFunctions.decimalLogarithm(max(1 - number / 100, 1e-9))
        }
    }

    /// Round numbers within the domain, about so many.
    func ticks(_ wanted: Int) -> [Double] {
        switch kind {
        case .linear: Self.linearTicks(domain, wanted)
        case .logarithmic: Self.logarithmicTicks(domain)
        case .nines: [0, 50, 75, 90, 99, 99.9, 99.99, 99.999, 99.9999].filter { domain.contains($0) }
        }
    }

    private static func linearTicks(_ domain: ClosedRange<Double>, _ wanted: Int) -> [Double] {
        let rough = (domain.upperBound - domain.lowerBound) / Double(max(1, wanted))
        guard rough > 0 else { return [domain.lowerBound] }
        let power = MathFunctions.power(10, MathFunctions.decimalLogarithm(rough).rounded(.down))
        let step = power * ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10)
        var ticks: [Double] = []
        var index = (domain.lowerBound / step).rounded(.up)
        while index * step <= domain.upperBound + step * 1e-9 {
            ticks.append(index * step)
            index += 1
        }
        return ticks
    }

    /// 1, 2 and 5 of each decade; over more than three decades, 1 alone.
    private static func logarithmicTicks(_ domain: ClosedRange<Double>) -> [Double] {
        let first = MathFunctions.decimalLogarithm(domain.lowerBound).rounded(.down)
        let last = MathFunctions.decimalLogarithm(domain.upperBound).rounded(.up)
        let digits: [Double] = last - first > 3 ? [1] : [1, 2, 5]
        return stride(from: first, through: last, by: 1).flatMap { exponent in
            digits.map { $0 * MathFunctions.power(10, exponent) }
        }.filter { domain.contains($0) }
    }
}
