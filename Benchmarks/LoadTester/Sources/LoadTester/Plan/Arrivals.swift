/// When requests of an open loop are due, whatever the target does.
package struct Arrivals: Sendable {
    package enum Spacing: String, CaseIterable, Sendable {
        /// As even as the rate allows.
        case even
        /// A Poisson process: gaps as of many callers that do not know each other.
        case poisson
    }

    private let pieces: [Phase.Piece]
    private var index = 0
    /// Nanoseconds from the start of the run.
    private var pieceStart: Int64 = 0
    /// Requests that were due before this piece, of all loops together.
    private var dueBefore = 0.0
    /// The next request that is due is this one, counted over the whole run.
    private var nextCount: Double
    private let stride: Double
    private let spacing: Spacing
    private var random: SeededRandom

    /// Nanoseconds from the start of the run; nil when there will be no more.
    package private(set) var next: Int64?

    /// Of `share.count` loops, loop `share.index` sends every so many-th request (even), or its part of the rate (Poisson).
    package init(_ phases: [Phase], spacing: Spacing, share: (index: Int, count: Int), random: SeededRandom) {
        let part = spacing == .poisson ? 1 / Double(share.count) : 1
        pieces = phases.flatMap(\.pieces).map {
            Phase.Piece(nanoseconds: $0.nanoseconds, from: $0.from * part, to: $0.to * part)
        }
        self.spacing = spacing
        self.random = random
        stride = spacing == .poisson ? 1 : Double(share.count)
        nextCount = spacing == .poisson ? 0 : Double(share.index)
        if spacing == .poisson { nextCount = gap() }
        settle()
    }

    package mutating func advance() {
        nextCount += spacing == .poisson ? gap() : stride
        settle()
    }

    private mutating func gap() -> Double { -MathFunctions.naturalLogarithm(1 - random.fraction()) }

    private mutating func settle() {
        while index < pieces.count {
            let piece = pieces[index]
            let seconds = Double(piece.nanoseconds) / 1e9
            let due = (piece.from + piece.to) / 2 * seconds
            if nextCount < dueBefore + due {
                let offset = Self.time(of: nextCount - dueBefore, in: piece)
                next = pieceStart + min(Int64(offset * 1e9), piece.nanoseconds - 1)
                return
            }
            dueBefore += due
            pieceStart += piece.nanoseconds
            index += 1
        }
        next = nil
    }

    /// When, in seconds from the piece's start, `count` requests have come: the rate's integral, inverted.
    private static func time(of count: Double, in piece: Phase.Piece) -> Double {
        guard count > 0 else { return 0 }
        let seconds = Double(piece.nanoseconds) / 1e9
        let slope = (piece.to - piece.from) / seconds
        if abs(slope) < 1e-9 { return count / piece.from }
        // The form of the quadratic's root that loses no digits where the slope is small.
        let root = max(0, piece.from * piece.from + 2 * slope * count).squareRoot()
        return 2 * count / (piece.from + root)
    }
}
