import HTTPWire
import NIOCore
import WeirConfiguration

/// What becomes of a head's fields: some are withheld, some of these are written under another name, and new ones follow.
struct FieldChanges: Sendable {
    private let withheld: [FieldName]
    /// With the start of the line to write instead.
    private let renamed: [(from: FieldName, lineStart: [UInt8])]
    private let written: [(lineStart: [UInt8], value: CompiledTemplate)]

    /// nil: nothing is changed.
    init?(_ levels: [NamedChanges], of scope: CompiledTemplate.Scope) {
        let changes = CombinedChanges(levels) { $0.lowercased() }
        guard !changes.isEmpty else { return nil }
        withheld = changes.gone.compactMap { FieldName($0) }
        renamed = changes.renamed.compactMap { pair in
            FieldName(pair.from).map { ($0, Array("\(pair.to): ".utf8)) }
        }
        written = changes.written.map {
            (Array("\($0.name): ".utf8), CompiledTemplate($0.value, in: .field, of: scope))
        }
    }

    /// Doing it again changes nothing, so that a head can be written more than once.
    func withhold(in fields: inout HeadFields) {
        for name in withheld { fields.withhold(named: name) }
    }

    /// Writes what comes behind the fields that are left.
    func write(_ fields: borrowing HeadFields, _ exchange: Exchange, into out: inout ByteBuffer) {
        for (name, lineStart) in renamed {
            var index = fields.firstIndex(named: name)
            while let found = index {
                out.append(atMost: lineStart.count + fields[found].value.count + 2) { cursor in
                    cursor.write(lineStart)
                    cursor.write(fields, fields[found].value)
                    cursor.write("\r\n")
                }
                index = fields.firstIndex(named: name, from: found + 1)
            }
        }
        for (lineStart, value) in written {
            out.append(atMost: lineStart.count + value.bound(exchange) + 2) { cursor in
                cursor.write(lineStart)
                value.write(exchange, to: &cursor)
                cursor.write("\r\n")
            }
        }
    }
}
