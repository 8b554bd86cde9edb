/// A plot as an SVG that takes its colours from the page.
struct Plot {
    static let width = 860.0
    private static let left = 66.0
    private static let right = 16.0
    private static let bottom = 36.0
    private static let top = 36.0

    let x: Scale
    let y: Scale
    private let height: Double
    private let label: String
    private var shapes: [String] = []
    private var keys: [(name: String, tone: String)] = []

    /// `label` says for those who cannot see it what is shown.
    init(
        _ label: String, x: (Scale.Kind, ClosedRange<Double>), y: (Scale.Kind, ClosedRange<Double>),
        height: Double = 260
    ) {
        self.label = label
        self.height = height
        self.x = Scale(kind: x.0, domain: x.1, places: (Self.left, Self.width - Self.right))
        self.y = Scale(kind: y.0, domain: y.1, places: (height - Self.bottom, Self.top))
    }

    private static func number(_ value: Double) -> String { NumberText.fixed(value, decimals: 1) }

    private func point(_ a: Double, _ b: Double) -> String { "\(Self.number(x.place(a))) \(Self.number(y.place(b)))" }

    // MARK: What is drawn

    /// A band over the whole height, with a name at its top.
    mutating func band(from: Double, to: Double, name: String, tone: String) {
        let (start, end) = (x.place(from), x.place(to))
        let width = max(1.5, end - start)
        let isThin = end - start < 1.5
        shapes.append(
            "<rect class=\"band \(tone)\(isThin ? " thin" : "")\" x=\"\(Self.number(start))\" y=\"\(Self.top)\" width=\"\(Self.number(width))\" height=\"\(Self.number(height - Self.bottom - Self.top))\"/>"
        )
        guard !name.isEmpty else { return }
        let atEnd = start > Self.width - 120
        shapes.append(
            "<text class=\"mark \(tone)\" x=\"\(Self.number(atEnd ? end - 3 : start + 3))\" y=\"\(Self.number(Self.top - 5))\"\(atEnd ? " text-anchor=\"end\"" : "")>\(HTMLText.escaped(name))</text>"
        )
    }

    mutating func line(_ points: [(Double, Double)], tone: String, name: String, isDashed: Bool = false) {
        keys.append((name, tone))
        guard let first = points.first else { return }
        let path = "M" + point(first.0, first.1) + points.dropFirst().map { "L" + point($0.0, $0.1) }.joined()
        shapes.append("<path class=\"line \(tone)\(isDashed ? " dashed" : "")\" d=\"\(path)\"/>")
    }

    /// Between two curves over the same places, drawn as steps of this width.
    mutating func area(_ steps: [(at: Double, low: Double, high: Double)], width: Double, tone: String, name: String) {
        keys.append((name, tone))
        guard !steps.isEmpty else { return }
        let upper = steps.flatMap { [point($0.at, $0.high), point($0.at + width, $0.high)] }
        let lower = steps.reversed().flatMap { [point($0.at + width, $0.low), point($0.at, $0.low)] }
        shapes.append("<path class=\"area \(tone)\" d=\"M\((upper + lower).joined(separator: "L"))Z\"/>")
    }

    // MARK: The whole

    func svg(xTick: (Double) -> String, yTick: (Double) -> String, xTitle: String, yTitle: String) -> String {
        var parts = [
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\" aria-label=\"\(HTMLText.escaped(label))\">"
        ]
        let (right, base) = (Self.width - Self.right, height - Self.bottom)
        for tick in y.ticks(5) {
            let place = Self.number(y.place(tick))
            parts.append("<path class=\"grid\" d=\"M\(Self.left) \(place)H\(right)\"/>")
            parts.append(
                "<text class=\"tick\" text-anchor=\"end\" x=\"\(Self.left - 7)\" y=\"\(Self.number(y.place(tick) + 3.5))\">\(yTick(tick))</text>"
            )
        }
        for tick in x.ticks(9) {
            parts.append(
                "<text class=\"tick\" text-anchor=\"middle\" x=\"\(Self.number(x.place(tick)))\" y=\"\(base + 16)\">\(xTick(tick))</text>"
            )
            if x.kind == .nines {
                parts.append("<path class=\"grid\" d=\"M\(Self.number(x.place(tick))) \(Self.top)V\(base)\"/>")
            }
        }
        parts += shapes
        parts.append("<path class=\"axis\" d=\"M\(Self.left) \(base)H\(right)\"/>")
        parts.append("<text class=\"title\" x=\"\(Self.left - 58)\" y=\"12\">\(HTMLText.escaped(yTitle))</text>")
        parts.append(
            "<text class=\"title\" text-anchor=\"end\" x=\"\(right)\" y=\"\(height - 4)\">\(HTMLText.escaped(xTitle))</text>"
        )
        parts.append("</svg>")
        let legend = keys.map { "<span class=\"key \($0.tone)\">\(HTMLText.escaped($0.name))</span>" }.joined()
        return "<div class=\"legend\">\(legend)</div>" + parts.joined()
    }
}

enum HTMLText {
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }
}
