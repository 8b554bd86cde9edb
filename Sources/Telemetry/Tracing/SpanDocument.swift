/// What is sent of a batch of spans: an ExportTraceServiceRequest as JSON.
package struct SpanDocument: Sendable {
    private let start: [UInt8]
    private static let end = Array("]}]}]}".utf8)

    /// Attributes say who sends: `service.name` and the like.
    package init(version: String, attributes: [(name: String, value: String)]) {
        var start = Array("{\"resourceSpans\":[{\"resource\":{\"attributes\":[".utf8)
        for (index, attribute) in attributes.enumerated() {
            start += (index == 0 ? "{\"key\":" : ",{\"key\":").utf8
            Array(attribute.name.utf8).withUnsafeBytes { JSONText.append($0, to: &start) }
            start += ",\"value\":{\"stringValue\":".utf8
            Array(attribute.value.utf8).withUnsafeBytes { JSONText.append($0, to: &start) }
            start += "}}".utf8
        }
        start += "]},\"scopeSpans\":[{\"scope\":{\"name\":\"weir\",\"version\":".utf8
        Array(version.utf8).withUnsafeBytes { JSONText.append($0, to: &start) }
        start += "},\"spans\":[".utf8
        self.start = start
    }

    package func body(_ batch: SpanQueue.Batch) -> [UInt8] { start + batch.bytes + Self.end }
}
