import Foundation
import LoadTester

/// What people read: the report on standard output, everything else on standard error.
enum Terminal {
    static func print(_ text: String) { FileHandle.standardOutput.write(Data(text.utf8)) }

    static func note(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }

    static func error(_ message: String) { note("weir-bench: \(message)\n") }

    /// Colours only where a person looks, and did not ask for none (no-color.org).
    static func style(ofErrors: Bool) -> TextStyle {
        let asksForNone = !(ProcessInfo.processInfo.environment["NO_COLOR"] ?? "").isEmpty
        return isatty(ofErrors ? STDERR_FILENO : STDOUT_FILENO) == 1 && !asksForNone ? .coloured : .plain
    }

    static var hasLiveLine: Bool { isatty(STDERR_FILENO) == 1 }

    /// Overwrites the line before; an empty one takes it away. What is wider than the terminal is cut off, or it would stay.
    static func live(_ text: String) { note("\r\u{1b}[2K\(text.prefix(width - 1))") }

    private static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 1 else { return 80 }
        return Int(size.ws_col)
    }
}
