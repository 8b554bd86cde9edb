import Foundation
import LimiterCore
import Testing

@testable import weir

@Suite struct UsageFileTests {
    private let folder = FileManager.default.temporaryDirectory.appending(path: "weir-usage-\(UUID().uuidString)")
    private var path: String { folder.appending(path: "usage.log").path }

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    /// 2026-01-15.
    private static let now: Int64 = 1_768_435_200_000_000

    /// Months are counted from August 2025, whose number is 0 here.
    private func record(_ tenant: String, _ month: Int64, _ units: Int64...) -> UsageRecord {
        UsageRecord(
            key: Array("weir:{\(tenant)}:monthly::cm".utf8), counts: PeriodCounts(number: 24_307 + month, units: units))
    }

    private func open() throws -> (file: UsageFile, contents: UsageFile.Contents) {
        try UsageFile.open(path, at: Self.now)
    }

    @Test func whatWasRecordedIsThereAgainByMaximum() throws {
        do {
            let (file, contents) = try open()
            #expect(contents.records.isEmpty && contents.birth == 0)
            try file.append([record("a", 5, 10, 3), record("b", 5, 1)], birth: 77, at: Self.now)
            try file.append([record("a", 6, 2, 12)], birth: 77, at: Self.now)
        }
        let (_, contents) = try open()
        #expect(contents.birth == 77 && contents.damaged == 0)
        #expect(contents.records == [record("a", 6, 2, 12, 3), record("b", 5, 1)])
        let text = try String(contentsOfFile: path, encoding: .utf8)
        #expect(text.split(separator: "\n").count == 4, "opening writes one line a counter")
    }

    @Test func aTornOrDamagedLineCostsThatLineAlone() throws {
        do {
            let (file, _) = try open()
            try file.append([record("a", 5, 10), record("b", 5, 20), record("c", 5, 30)], birth: 0, at: Self.now)
        }
        var lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map(String.init)
        lines[2] = lines[2].replacing(" 20,", with: " 90,")
        lines[3] = String(lines[3].dropLast(7))
        try lines.joined(separator: "\n").write(toFile: path, atomically: false, encoding: .utf8)
        let (_, contents) = try open()
        #expect(contents.records == [record("a", 5, 10)] && contents.damaged == 2)
    }

    @Test func twoProcessesCannotHaveOneFile() throws {
        let (file, _) = try open()
        let error = #expect(throws: CommandError.self) { try open() }
        #expect(error?.message.contains("another process has it") == true)
        withExtendedLifetime(file) {}
    }

    @Test func aFileOfSomebodyElseIsLeftAlone() throws {
        try "my diary\n".write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: CommandError.self) { try open() }
        #expect(error?.message.contains("not a file of Weir's") == true)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "my diary\n")
    }

    @Test func aFolderThatIsNotThereIsSaidSo() throws {
        let error = #expect(throws: CommandError.self) {
            try UsageFile.open(folder.appending(path: "none/usage.log").path, at: Self.now)
        }
        #expect(error?.message.contains("No such file or directory") == true)
    }

    @Test func aFileThatGrowsIsWrittenAnewWithoutLosingAnything() throws {
        let (file, _) = try open()
        let tenants = (0..<200).map { "tenant-\($0)" }
        for round in 1...200 { try file.append(tenants.map { record($0, 5, Int64(round)) }, birth: 1, at: Self.now) }
        let size = try #require(FileManager.default.attributesOfItem(atPath: path)[.size] as? Int)
        #expect(size < 3_000_000, "\(size)")
        let again = try UsageFile.read(path)
        #expect(again.records.count == 200 && again.records.allSatisfy { $0.counts.units[0] == 200 })
    }

    @Test func whatIsTooOldToBeToldIsLeftOut() throws {
        do {
            let (file, _) = try open()
            try file.append([record("a", 5 - 30, 10), record("b", 5, 20)], birth: 0, at: Self.now)
        }
        do { _ = try open() }
        let (_, contents) = try open()
        #expect(contents.records == [record("b", 5, 20)])
    }

    @Test func numbersThatNobodyCountsToAreDamage() throws {
        do { _ = try open() }
        let (file, _) = try UsageFile.open(path + "2", at: Self.now)
        for number in [Int64.min, .max, -1, 1 << 52] {
            try file.append(
                [UsageRecord(key: Array("weir:{a}:monthly::cm".utf8), counts: PeriodCounts(number: number))], birth: 0,
                at: Self.now)
        }
        #expect(try UsageFile.read(path + "2").damaged == 4)
    }

    @Test func aLineThatCouldNotBeWrittenWholeIsNotThere() throws {
        let (file, _) = try open()
        try file.append([record("a", 5, 10)], birth: 0, at: Self.now)
        // What another hand left behind is written over.
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data("half a li".utf8))
        try file.append([record("b", 5, 20)], birth: 0, at: Self.now)
        let contents = try UsageFile.read(path)
        #expect(contents.records == [record("a", 5, 10), record("b", 5, 20)] && contents.damaged == 0)
    }
}
