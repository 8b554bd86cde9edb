import ArgumentParser
import Foundation
import LoadTester

/// Where the report goes.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .customLong("assert"),
        help: ArgumentHelp(
            "What must hold, like 'p99<5ms,over_admission==0'; the exit status is 1 where it does not. See --list-figures.",
            valueName: "conditions"))
    var assertions: [String] = []

    @Flag(help: "List the figures that --assert and --stop-when know, and end.")
    var listFigures = false

    @Option(help: ArgumentHelp("Write the report as JSON; - for standard output.", valueName: "file"))
    var json: String?

    @Option(help: ArgumentHelp("Write the report as a page that needs nothing else, with plots.", valueName: "file"))
    var html: String?

    @Flag(name: .shortAndLong, help: "Neither the text report nor the live line.")
    var quiet = false

    func conditions() throws(LoadError) -> [Condition] {
        var all: [Condition] = []
        for text in assertions { all += try Condition.parse(text, "--assert", known: Report.figures) }
        return all
    }

    /// Finds out before the run whether files can be written.
    func check() throws(LoadError) {
        for (option, path) in [("--json", json), ("--html", html)] {
            guard let path, path != "-" else { continue }
            let folder = (path as NSString).deletingLastPathComponent
            var isFolder: ObjCBool = false
            guard FileManager.default.fileExists(atPath: folder.isEmpty ? "." : folder, isDirectory: &isFolder),
                isFolder.boolValue
            else { throw LoadError(.usage, "\(option): there is no folder \(folder)") }
        }
        guard html != "-" else { throw LoadError(.usage, "--html needs the name of a file") }
    }

    func write(_ report: Report) throws(LoadError) {
        if !quiet {
            // JSON on standard output is for a program to read.
            let toErrors = json == "-"
            let text = TextReport.text(report, style: Terminal.style(ofErrors: toErrors))
            toErrors ? Terminal.note(text) : Terminal.print(text)
        }
        if let json {
            let text = try report.json() + "\n"
            if json == "-" { Terminal.print(text) } else { try write(text, to: json) }
        }
        if let html { try write(HTMLReport.page(report), to: html) }
    }

    private func write(_ text: String, to path: String) throws(LoadError) {
        do { try text.write(toFile: path, atomically: false, encoding: .utf8) } catch {
            throw LoadError(.failed, "\(path) cannot be written: \(error.localizedDescription)")
        }
    }
}
