import Foundation

/// One run of a built program, waited for.
struct CommandRun {
    let status: Int32
    /// Standard output and standard error.
    let output: String
    let errors: String

    init(_ arguments: String..., in directory: URL = FileManager.default.temporaryDirectory) throws {
        try self.init(arguments, in: directory)
    }

    init(
        _ arguments: [String], of program: URL = WeirProcess.program,
        in directory: URL = FileManager.default.temporaryDirectory
    ) throws {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.currentDirectoryURL = directory
        let (output, errors) = (Pipe(), Pipe())
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        // What commands say is far less than a pipe holds, so one may be read after the other.
        self.output = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        self.errors = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        status = process.terminationStatus
    }
}
