import Cases
import Glibc

/// Makes the calls that `Benchmarks/counts` counts instructions and allocations of.
///
///     Counts list             the cases: name, tab, what a call does
///     Counts run NAME CALLS   sets the case up, and makes so many calls
@main
struct Counts {
    /// Enough for every buffer to have the size that it keeps.
    private static let callsBefore = 100

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        switch (arguments.first, arguments.count) {
        case ("list", 1): for item in Case.all { print("\(item.name)\t\(item.summary)") }
        case ("run", 3):
            guard let item = Case.all.first(where: { $0.name == arguments[1] }), let calls = Int(arguments[2]) else {
                fail("there is no such case, or `\(arguments[2])` is not a number; `Counts list` names the cases")
            }
            let exercise = try item.begin()
            exercise.run(calls: callsBefore + calls)
        default: fail("usage: Counts list | Counts run NAME CALLS")
        }
    }

    private static func fail(_ message: String) -> Never {
        _ = "counts: \(message)\n".withCString { write(STDERR_FILENO, $0, strlen($0)) }
        exit(2)
    }
}
