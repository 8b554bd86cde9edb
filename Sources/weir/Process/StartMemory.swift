#if os(Linux)
import Glibc

/// Memory that only the start needed.
enum StartMemory {
    /// Gives back the pages of programs and libraries that were read in so far, most of which nobody reads again: those that
    /// somebody does come back from the page cache.
    ///
    /// Only what is mapped to be executed: nobody has written there, as the linker has elsewhere.
    static func giveBack() {
        guard let maps = fopen("/proc/self/maps", "r") else { return }
        defer { fclose(maps) }
        var line: UnsafeMutablePointer<CChar>?
        var capacity = 0
        defer { free(line) }
        while getline(&line, &capacity, maps) > 0, let line {
            let fields = String(cString: line).split(separator: " ", maxSplits: 2)
            guard fields.count == 3, fields[1] == "r-xp", fields[2].contains("/") else { continue }
            let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            guard bounds.count == 2, let start = UnsafeMutableRawPointer(bitPattern: bounds[0]) else { continue }
            madvise(start, Int(bounds[1] - bounds[0]), MADV_DONTNEED)
        }
    }
}
#endif
