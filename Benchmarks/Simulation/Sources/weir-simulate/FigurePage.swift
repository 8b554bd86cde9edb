import Foundation

/// The page where figures stand, each table between two comments that name it.
struct FigurePage {
    let path: String

    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    /// Replaces what stands between `<!-- block: begin -->` and `<!-- block: end -->`.
    func put(_ text: String, into block: String) throws {
        let page = try String(contentsOfFile: path, encoding: .utf8)
        guard let begin = page.range(of: "<!-- \(block): begin -->\n"),
            let end = page.range(of: "<!-- \(block): end -->"),
            begin.upperBound <= end.lowerBound
        else { throw Missing(description: "\(path) has no place for `\(block)`") }
        let written = page[..<begin.upperBound] + text + "\n" + page[end.lowerBound...]
        try String(written).write(toFile: path, atomically: true, encoding: .utf8)
    }
}
