/// How a terminal shows what matters.
package struct TextStyle: Sendable {
    private let usesColour: Bool

    package static let plain = TextStyle(usesColour: false)
    package static let coloured = TextStyle(usesColour: true)

    private init(usesColour: Bool) { self.usesColour = usesColour }

    func bold(_ text: String) -> String { wrapped(text, "1") }
    func dim(_ text: String) -> String { wrapped(text, "2") }
    func success(_ text: String) -> String { wrapped(text, "32") }
    func warning(_ text: String) -> String { wrapped(text, "33") }
    func failure(_ text: String) -> String { wrapped(text, "31;1") }

    private func wrapped(_ text: String, _ code: String) -> String {
        usesColour ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
