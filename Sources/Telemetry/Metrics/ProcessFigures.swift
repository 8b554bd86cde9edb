import Glibc

/// What the system says about this process. Figures that it does not give are nil.
struct ProcessFigures {
    var cpuSeconds: Double?
    var residentBytes: Int?
    var openFiles: Int?
    /// Seconds since 1970.
    var startTime: Double?

    static func read() -> ProcessFigures {
        var figures = ProcessFigures()
        let ticksPerSecond = Double(sysconf(Int32(_SC_CLK_TCK)))
        if let stat = text(of: "/proc/self/stat"), let nameEnd = stat.lastIndex(of: ")") {
            // Fields by proc(5), whose third is the first after the name.
            let fields = stat[stat.index(after: nameEnd)...].split(separator: " ")
            func field(_ number: Int) -> Int? { number - 3 < fields.count ? Int(fields[number - 3]) : nil }
            if let user = field(14), let system = field(15) {
                figures.cpuSeconds = Double(user + system) / ticksPerSecond
            }
            if let pages = field(24) { figures.residentBytes = pages * Int(sysconf(Int32(_SC_PAGESIZE))) }
            if let start = field(22), let boot = bootTime() {
                figures.startTime = Double(boot) + Double(start) / ticksPerSecond
            }
        }
        figures.openFiles = countOpenFiles()
        return figures
    }

    private static func bootTime() -> Int? {
        guard let stat = text(of: "/proc/stat") else { return nil }
        for line in stat.split(separator: "\n") where line.hasPrefix("btime ") { return Int(line.dropFirst(6)) }
        return nil
    }

    private static func countOpenFiles() -> Int? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var entries = 0
        while readdir(directory) != nil { entries += 1 }
        // `.`, `..` and the descriptor of this very directory.
        return max(0, entries - 3)
    }

    private static func text(of path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            bytes += chunk[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
