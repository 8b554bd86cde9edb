import Foundation
import LimiterCore
import Synchronization

/// The counts of calendar quotas in a file: one line for each change of a counter's, added at the end, so that a crash costs at most the last.
///
/// A plain file needs no library where Weir is deployed, is written once a change and read once a start, and can be read by people and
/// the usual tools. Each line carries its checksum; what is torn or damaged is left out. Of several lines of a counter, what is most counts.
/// One process has the file at a time: it holds a lock on another one beside it, `<path>.lock`.
final class UsageFile: Sendable {
    /// What the file held when it was opened.
    struct Contents {
        var records: [UsageRecord] = []
        /// As `UsageBook.birth` has it.
        var birth: Int64 = 0
        /// Lines that could not be read.
        var damaged = 0
    }

    private struct Open {
        var handle: FileHandle
        /// Bytes, and as many as there were after it was written anew last.
        var size: Int
        var sizeAnew: Int
        var birth: Int64
    }

    let path: String
    /// Held as long as this lives.
    private let lock: FileHandle
    private let state: Mutex<Open>

    private static let header = "weir-usage 1"
    /// A file is written anew when it has grown to so many times its size, and is not small.
    private static let growth = 4
    private static let smallBytes = 1 << 20

    /// Opens the file, or makes it, and reads it. What is too old to be told at `now`, in microseconds since the epoch, is left out from
    /// then on; the rest stays, also where the configuration knows nothing of it just now.
    static func open(
        _ path: String, at now: Int64
    ) throws(CommandError) -> (file: UsageFile, contents: Contents) {
        do {
            let lock = try lock(path)
            if !FileManager.default.fileExists(atPath: path) {
                guard
                    FileManager.default.createFile(
                        atPath: path, contents: Data(), attributes: [.posixPermissions: 0o640])
                else { throw Self.cannot("write", path, "no such folder, or no right to write there") }
            }
            guard let handle = FileHandle(forUpdatingAtPath: path) else {
                throw Self.cannot("write", path, String(cString: strerror(errno)))
            }
            var contents = try read(handle, path)
            contents.records.removeAll { !$0.isKept(at: now) }
            let file = UsageFile(path, lock, handle, birth: contents.birth)
            try file.writeAnew(contents.records)
            return (file, contents)
        } catch let error as CommandError {
            throw error
        } catch {
            throw cannot("use", path, "\(error.localizedDescription)")
        }
    }

    private init(_ path: String, _ lock: FileHandle, _ handle: FileHandle, birth: Int64) {
        self.path = path
        self.lock = lock
        state = Mutex(Open(handle: handle, size: 0, sizeAnew: 0, birth: birth))
    }

    /// Adds lines at `now`, in microseconds since the epoch, and returns once the disk has them. Throws where it could not: then none
    /// of them is there.
    func append(_ records: [UsageRecord], birth: Int64, at now: Int64) throws {
        var text = ""
        let isGrown = try state.withLock { open in
            if birth != open.birth { text += Self.line("birth \(birth)") }
            for record in records { text += Self.line(record) }
            guard !text.isEmpty else { return false }
            do {
                try open.handle.seek(toOffset: UInt64(open.size))
                try open.handle.write(contentsOf: Data(text.utf8))
                try open.handle.synchronize()
            } catch {
                // No half of a line may stand before what is written next.
                try? open.handle.truncate(atOffset: UInt64(open.size))
                throw error
            }
            open.birth = birth
            open.size += text.utf8.count
            return open.size > Self.smallBytes && open.size > Self.growth * open.sizeAnew
        }
        if isGrown { try writeAnew(Self.read(path).records.filter { $0.isKept(at: now) }) }
    }

    /// Replaces the file by one with a line a counter.
    private func writeAnew(_ records: [UsageRecord]) throws {
        try state.withLock { open in
            var text = Self.header + "\n"
            if open.birth > 0 { text += Self.line("birth \(open.birth)") }
            for record in records { text += Self.line(record) }
            let temporary = path + ".new"
            guard
                FileManager.default.createFile(
                    atPath: temporary, contents: Data(text.utf8), attributes: [.posixPermissions: 0o640]),
                let handle = FileHandle(forUpdatingAtPath: temporary)
            else { throw Self.cannot("write", temporary, String(cString: strerror(errno))) }
            try handle.synchronize()
            guard rename(temporary, path) == 0 else {
                throw Self.cannot("replace", path, String(cString: strerror(errno)))
            }
            Self.synchronizeFolder(of: path)
            open.handle = handle
            open.size = text.utf8.count
            open.sizeAnew = open.size
        }
    }

    /// Reads a file that another process may have.
    static func read(_ path: String) throws -> Contents {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw cannot("read", path, String(cString: strerror(errno)))
        }
        return try read(handle, path)
    }

    // MARK: Lines

    private static func line(_ record: UsageRecord) -> String {
        let counts = record.counts
        let units = counts.units.map(String.init).joined(separator: ",")
        return line("\(counts.number) \(counts.generation) \(units) \(String(decoding: record.key, as: UTF8.self))")
    }

    private static func line(_ text: String) -> String { "\(checksum(text.utf8)) \(text)\n" }

    private static func read(_ handle: FileHandle, _ path: String) throws -> Contents {
        try handle.seek(toOffset: 0)
        let data = try handle.readToEnd() ?? Data()
        var contents = Contents()
        guard !data.isEmpty else { return contents }
        var places: [[UInt8]: Int] = [:]
        var lines = data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: true)[...]
        guard lines.popFirst().map({ String(decoding: $0, as: UTF8.self) }) == header else {
            throw cannot("use", path, "it is not a file of Weir's; name another, or remove it")
        }
        for bytes in lines {
            let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ", maxSplits: 1)
            guard fields.count == 2, fields[0] == checksum(fields[1].utf8) else {
                contents.damaged += 1
                continue
            }
            let words = fields[1].split(separator: " ")
            if words.count == 2, words[0] == "birth", let birth = Int64(words[1]) {
                contents.birth = birth
            } else if let record = record(words) {
                if let place = places[record.key] {
                    contents.records[place].counts.merge(record.counts)
                } else {
                    places[record.key] = contents.records.count
                    contents.records.append(record)
                }
            } else {
                contents.damaged += 1
            }
        }
        return contents
    }

    private static func record(_ words: [Substring]) -> UsageRecord? {
        guard words.count == 4, let number = Int64(words[0]), let generation = Int64(words[1]) else { return nil }
        let units = words[2].split(separator: ",").compactMap { Int64($0) }
        // As in Redis: no arithmetic with them overflows.
        let bound: Range<Int64> = 0..<1 << 52
        guard units.count == PeriodCounts.periods, units.allSatisfy(bound.contains), bound.contains(number),
            bound.contains(generation)
        else { return nil }
        return UsageRecord(
            key: Array(words[3].utf8), counts: PeriodCounts(number: number, generation: generation, units: units))
    }

    /// FNV-1a (Fowler, Noll, Vo), as 16 hex digits: it finds torn lines, not forged ones.
    private static func checksum(_ bytes: some Sequence<UInt8>) -> String {
        let hash = bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static func lock(_ path: String) throws(CommandError) -> FileHandle {
        let descriptor = Glibc.open(path + ".lock", O_CREAT | O_RDWR | O_CLOEXEC, 0o640)
        guard descriptor >= 0 else { throw cannot("write", path, String(cString: strerror(errno))) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            throw cannot("use", path, "another process has it; give each Weir a file of its own")
        }
        return handle
    }

    /// So that the file's new name survives a loss of power.
    private static func synchronizeFolder(of path: String) {
        let folder = Glibc.open(URL(fileURLWithPath: path).deletingLastPathComponent().path, O_RDONLY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private static func cannot(_ verb: String, _ path: String, _ reason: String) -> CommandError {
        CommandError(.failed, "cannot \(verb) the usage file `\(path)`: \(reason)")
    }
}
