/// A stretch of the run with a name and a shape of its own.
package struct Phase: Hashable, Sendable {
    package enum Kind: String, CaseIterable, Sendable {
        /// Not part of the figures; what it uses of the limit is accounted for.
        case warmUp = "warm-up"
        case hold
        case ramp
        case steps
        case burst
        case soak
    }

    package let kind: Kind
    package let nanoseconds: Int64
    /// Of an open loop, the rate over time; empty in a closed loop.
    package let pieces: [Piece]

    /// Rates change linearly within a piece.
    package struct Piece: Hashable, Sendable {
        package let nanoseconds: Int64
        /// Requests a second.
        package let from: Double
        package let to: Double
    }

    package static let fastest = 10_000_000.0
    private static let mostPieces = 100_000

    package init(kind: Kind, nanoseconds: Int64, rate: Double?) {
        self.kind = kind
        self.nanoseconds = nanoseconds
        pieces = rate.map { [Piece(nanoseconds: nanoseconds, from: $0, to: $0)] } ?? []
    }

    /// Reads `warm-up:5s`, `hold:30s:1000`, `soak:1h:500`, `ramp:30s:100-2000`, `steps:50s:1000-5000:5` (five steps of 10 s) and
    /// `burst:60s:100-5000:1s/10s` (100 a second, and for 1 s of each 10 s, 5000). Without rates the loop is closed.
    package init(parsing text: String) throws(LoadError) {
        let words = text.split(separator: ":", omittingEmptySubsequences: false).map { String($0) }
        let names = Kind.allCases.map(\.rawValue).joined(separator: ", ")
        guard let kind = Kind(rawValue: words[0] == "warmup" ? "warm-up" : words[0]) else {
            throw .usage("--phase: `\(words[0])` is not a phase; there are \(names)")
        }
        func wrong(_ example: String) -> LoadError {
            .usage("--phase: `\(text)` is not understood; write it like \(example)")
        }
        self.kind = kind
        guard words.count >= 2 else { throw wrong("\(kind.rawValue):10s") }
        nanoseconds = try TimeText.parse(words[1], "--phase \(text)")
        guard nanoseconds > 0 else { throw wrong("\(kind.rawValue):10s") }
        switch kind {
        case .warmUp, .hold, .soak:
            guard words.count <= 3 else { throw wrong("\(kind.rawValue):10s:1000") }
            guard words.count == 3 else {
                pieces = []
                return
            }
            let rate = try Self.rate(words[2])
            pieces = [Piece(nanoseconds: nanoseconds, from: rate, to: rate)]
        case .ramp:
            guard words.count == 3 else { throw wrong("ramp:30s:100-2000") }
            let (from, to) = try Self.range(words[2])
            pieces = [Piece(nanoseconds: nanoseconds, from: from, to: to)]
        case .steps:
            guard words.count == 4, let count = Int(words[3]), (2...Self.mostPieces).contains(count) else {
                throw wrong("steps:50s:1000-5000:5")
            }
            let (from, to) = try Self.range(words[2])
            pieces = Self.even(nanoseconds, count).enumerated().map { index, length in
                let rate = from + (to - from) * Double(index) / Double(count - 1)
                return Piece(nanoseconds: length, from: rate, to: rate)
            }
        case .burst:
            let example = "burst:60s:100-5000:1s/10s"
            guard words.count == 4 else { throw wrong(example) }
            let (low, high) = try Self.range(words[2])
            let times = words[3].split(separator: "/")
            guard times.count == 2 else { throw wrong(example) }
            let length = try TimeText.parse(times[0], "--phase \(text)")
            let period = try TimeText.parse(times[1], "--phase \(text)")
            guard length > 0, length < period, nanoseconds / period < Self.mostPieces / 2 else { throw wrong(example) }
            pieces = Self.bursts(nanoseconds, length: length, period: period, low: low, high: high)
        }
    }

    /// `1000`, `1000/s` or `60/m`: requests a second.
    package static func rate(_ text: String) throws(LoadError) -> Double {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let units: [Substring: Double] = [
            "s": 1, "m": 60, "min": 60, "minute": 60, "second": 1, "h": 3600, "hour": 3600,
        ]
        guard let number = Double(parts[0]), number >= 0, parts.count <= 2,
            let unit = parts.count == 2 ? units[parts[1]] : 1, number / unit <= fastest
        else {
            throw .usage("`\(text)` is not a rate of requests; write it like 1000, 1000/s or 30/m, at most 10000000/s")
        }
        return number / unit
    }

    private static func range(_ text: String) throws(LoadError) -> (Double, Double) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw .usage("`\(text)` is not a range of rates; write it like 100-2000") }
        return (try rate(String(parts[0])), try rate(String(parts[1])))
    }

    /// Lengths that add up to `total`.
    private static func even(_ total: Int64, _ count: Int) -> [Int64] {
        (0..<Int64(count)).map { total * ($0 + 1) / Int64(count) - total * $0 / Int64(count) }
    }

    private static func bursts(_ total: Int64, length: Int64, period: Int64, low: Double, high: Double) -> [Piece] {
        var pieces: [Piece] = []
        var left = total
        while left > 0 {
            for (duration, rate) in [(period - length, low), (length, high)] where left > 0 {
                pieces.append(Piece(nanoseconds: min(left, duration), from: rate, to: rate))
                left -= min(left, duration)
            }
        }
        return pieces
    }
}
