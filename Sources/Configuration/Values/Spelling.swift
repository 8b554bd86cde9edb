/// Finds the word that was probably meant.
enum Spelling {
    /// nil: none is near, which is a third of its letters, at least one.
    static func nearest(_ word: String, in known: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let best = known.map { (word: $0, distance: distance(Array(word.lowercased().utf8), Array($0.utf8))) }
            .min { $0.distance < $1.distance }
        guard let best, best.distance <= max(1, best.word.utf8.count / 3) else { return nil }
        return best.word
    }

    /// Insertions, removals, exchanges of one letter and of two neighbours that make `a` from `b`. O(a·b).
    private static func distance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var beforeLast = [Int](repeating: 0, count: b.count + 1)
        var last = Array(0...b.count)
        for i in a.indices {
            var row = [i + 1]
            for j in b.indices {
                var best = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { best = min(best, beforeLast[j - 1] + 1) }
                row.append(best)
            }
            (beforeLast, last) = (last, row)
        }
        return last[b.count]
    }
}
