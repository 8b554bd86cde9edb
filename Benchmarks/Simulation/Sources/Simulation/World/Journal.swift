/// What happened in a world, in order: a digest always, the lines themselves where they are wanted.
final class Journal {
    enum Kind: UInt8 {
        case request, decision, execution, reply, failure, fault, phase
    }

    /// FNV-1a over all that was noted.
    private(set) var digest: UInt64 = 0xcbf2_9ce4_8422_2325
    private let write: ((String) -> Void)?

    /// `write` is given each line; nil: no lines are made.
    init(write: ((String) -> Void)? = nil) { self.write = write }

    func note(_ kind: Kind, _ number: Int64, at time: Int64, _ text: () -> String) {
        for value in [UInt64(kind.rawValue), UInt64(bitPattern: number), UInt64(bitPattern: time)] {
            digest = (digest ^ value) &* 0x0000_0100_0000_01b3
        }
        guard let write else { return }
        let digits = String(time % 1_000_000)
        let fraction = String(repeating: "0", count: 6 - digits.count) + digits
        write("\(time / 1_000_000).\(fraction) \(kind) \(text())")
    }
}
