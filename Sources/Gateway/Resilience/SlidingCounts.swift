/// What happened in the last while, counted in ten slices of it: what is older than a whole window is forgotten, a slice at
/// a time, so that the counts cover between nine tenths of a window and all of it.
///
/// Four things are counted side by side; whoever counts gives the lanes their meaning.
struct SlidingCounts: Sendable {
    typealias Counts = SIMD4<Int>

    static let slices: Int64 = 10

    let sliceNanoseconds: Int64
    private var ring = [Counts](repeating: .zero, count: Int(slices))
    /// The number of the slice at hand since time began.
    private var slice: Int64 = .min
    private(set) var total = Counts.zero

    init(windowNanoseconds: Int64) { sliceNanoseconds = max(1, windowNanoseconds / Self.slices) }

    /// In the slice at hand.
    var current: Counts { ring[place(of: slice)] }

    /// When the slice at hand ends.
    var endOfSlice: Int64 { slice == .min ? .min : (slice + 1) * sliceNanoseconds }

    /// Forgets what is too old by `now`. A time before one that was seen already counts as that.
    mutating func advance(to now: Int64) {
        let next = now / sliceNanoseconds
        guard next > slice else { return }
        if slice == .min || next - slice >= Self.slices {
            ring = Array(repeating: .zero, count: Int(Self.slices))
            total = .zero
        } else {
            for passed in (slice + 1)...next {
                total &-= ring[place(of: passed)]
                ring[place(of: passed)] = .zero
            }
        }
        slice = next
    }

    mutating func add(_ counts: Counts, at now: Int64) {
        advance(to: now)
        ring[place(of: slice)] &+= counts
        total &+= counts
    }

    mutating func clear() {
        ring = Array(repeating: .zero, count: Int(Self.slices))
        total = .zero
    }

    private func place(of slice: Int64) -> Int { slice == .min ? 0 : Int(slice % Self.slices) }
}
