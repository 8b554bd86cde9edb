import TestSupport

extension SeededGenerator {
    /// A generator for one part of a world, so that what happens there does not depend on what is drawn elsewhere.
    init(seed: UInt64, part: UInt64) {
        var parts = SeededGenerator(seed: seed &+ part &* 0xd134_2543_de82_ef95)
        self.init(seed: parts.next())
    }

    mutating func number(_ range: ClosedRange<Int64>) -> Int64 { .random(in: range, using: &self) }

    /// True once in `count` times.
    mutating func oneIn(_ count: Int64) -> Bool { number(1...count) == 1 }

    mutating func pick<Element>(_ elements: [Element]) -> Element {
        elements[Int(number(0...Int64(elements.count - 1)))]
    }

    mutating func fraction() -> Double { Double.random(in: 0..<1, using: &self) }

    /// Exponentially distributed around `mean`, by comparisons alone (von Neumann 1951), so that every machine draws the same.
    mutating func exponential(_ mean: Int64) -> Int64 {
        var whole = 0.0
        while true {
            let first = fraction()
            var (last, drawn) = (first, 1)
            while true {
                let next = fraction()
                drawn += 1
                if next > last { break }
                last = next
            }
            if drawn % 2 == 0 { return Int64((whole + first) * Double(mean)) }
            whole += 1
        }
    }
}
