/// What became of the spans of sampled traces, all workers together.
package final class SpanMetrics: Sendable {
    private enum Cell: Int, CaseIterable {
        case exported, dropped
    }

    private let cells = Cells(count: Cell.allCases.count)

    package init() {}

    package func countExported(_ spans: Int) { cells.add(spans, at: Cell.exported.rawValue) }

    package func countDropped(_ spans: Int) { cells.add(spans, at: Cell.dropped.rawValue) }

    package var exported: Int { cells.value(at: Cell.exported.rawValue) }

    package var dropped: Int { cells.value(at: Cell.dropped.rawValue) }

    func write(to exposition: inout Exposition) {
        exposition.single("weir_spans_exported_total", .counter, "Spans that the collector has taken.", exported)
        exposition.single(
            "weir_spans_dropped_total", .counter,
            "Spans that were lost, because the collector was too slow, away, or refused them.", dropped)
    }
}
