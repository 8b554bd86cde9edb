import Foundation
import Testing

@testable import WeirConfiguration

@Suite struct FileWatchTests {
    private let folder = FileManager.default.temporaryDirectory.appendingPathComponent("weir-\(UUID().uuidString)")

    init() throws { try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true) }

    private func stamp(_ name: String) -> [FileWatch.Stamp] {
        [FileWatch.Stamp(of: folder.appendingPathComponent(name).path)]
    }

    private func write(_ text: String, _ name: String) throws {
        try text.write(to: folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    }

    @Test func whatHasChangedIsReadOnceItStaysAsItIs() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("one", "file")
        var watch = FileWatch(stamp("file"))
        func look() -> Bool { watch.look(stamp("file")) }
        #expect(!look())
        try write("two", "file")
        #expect(!look())
        try write("three", "file")
        #expect(!look())
        #expect(look())
        watch = FileWatch(stamp("file"))
        #expect(!look())
    }

    @Test func aLinkThatLeadsElsewhereAndAFileThatIsGoneAreChanges() throws {
        defer { try? FileManager.default.removeItem(at: folder) }
        try write("one", "a")
        try write("one", "b")
        let link = folder.appendingPathComponent("link")
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: folder.appendingPathComponent("a"))
        var watch = FileWatch(stamp("link"))
        func look() -> Bool { watch.look(stamp("link")) }
        try FileManager.default.removeItem(at: link)
        try FileManager.default.createSymbolicLink(at: link, withDestinationURL: folder.appendingPathComponent("b"))
        #expect(!look())
        #expect(look())
        watch = FileWatch(stamp("link"))
        try FileManager.default.removeItem(at: folder.appendingPathComponent("b"))
        #expect(!look())
        #expect(look())
    }
}
