/// The tables that a field needs, fetched once a head.
struct FieldTables {
    let classes = ByteClass.table
    let known = KnownFieldTable.shared
}

extension HeadParser {
    /// The line is `[start, end)`, not empty.
    @inline(__always)
    mutating func parseField(
        _ bytes: UnsafePointer<UInt8>, _ start: Int, _ end: Int, version: Version, _ tables: FieldTables,
        into fields: inout HeadFields
    ) throws(WireError) {
        var nameEnd = start
        var seen: UInt8 = 0
        while nameEnd < end {
            let classes = tables.classes[Int(bytes[nameEnd])]
            guard classes & ByteClass.token != 0 else { break }
            seen |= classes
            nameEnd &+= 1
        }
        guard nameEnd < end, nameEnd > start, bytes[nameEnd] == UInt8(ascii: ":") else {
            throw WireError(bytes[start] == .space || bytes[start] == .tab ? .foldedField : .badFieldName)
        }
        var control = ByteScan.control(in: bytes, from: nameEnd &+ 1, to: end)
        let hasTab = control < end
        while control < end {
            guard bytes[control] == .tab else { throw WireError(.badFieldValue) }
            control = ByteScan.control(in: bytes, from: control &+ 1, to: end)
        }
        var valueStart = nameEnd &+ 1
        while valueStart < end, Self.isBlank(bytes[valueStart]) { valueStart &+= 1 }
        var valueEnd = end
        while valueEnd > valueStart, Self.isBlank(bytes[valueEnd &- 1]) { valueEnd &-= 1 }

        let known = tables.known.lookup(bytes + start, nameEnd &- start)
        var isRemoved = known.isHopByHop
        if seen & ByteClass.underscore != 0, known == .other {
            let alias = tables.known.lookupAlias(bytes + start, nameEnd &- start)
            isRemoved = alias.isHopByHop || alias.isProtected
        }
        let value = ByteRange(valueStart, valueEnd)
        fields.append(Field(name: ByteRange(start, nameEnd), value: value, known: known, isRemoved: isRemoved))
        if known != .other, known.rawValue <= KnownField.expect.rawValue {
            try refuseDoubtfulBlanks(known, hasTab: hasTab, hasBlanksAfter: valueEnd < end)
            try note(known, bytes, value, version: version)
        }
    }

    @inline(__always)
    private static func isBlank(_ byte: UInt8) -> Bool { byte == .space || byte == .tab }

    /// Parsers disagree on tabs in these values, and on blanks after a length or a coding.
    @inline(__always)
    private func refuseDoubtfulBlanks(
        _ known: KnownField, hasTab: Bool, hasBlanksAfter: Bool
    ) throws(WireError) {
        switch known {
        case .contentLength: if hasTab || hasBlanksAfter { throw WireError(.badContentLength) }
        case .transferEncoding: if hasTab || hasBlanksAfter { throw WireError(.badTransferEncoding) }
        case .connection: if hasTab { throw WireError(.badConnection) }
        case .host: if hasTab { throw WireError(.badHost) }
        default: break
        }
    }

    private mutating func note(
        _ known: KnownField, _ bytes: UnsafePointer<UInt8>, _ range: ByteRange, version: Version
    ) throws(WireError) {
        let value = UnsafeRawBufferPointer(start: bytes + Int(range.start), count: range.count)
        switch known {
        case .host:
            facts.hosts += 1
            guard facts.hosts == 1, HostSyntax.isValid(bytes, Int(range.start), Int(range.end)) else {
                throw WireError(.badHost)
            }
        case .contentLength:
            // 18 digits are under 2^63.
            guard facts.contentLength < 0, !value.isEmpty, value.count <= 18, let length = value.decimal else {
                throw WireError(.badContentLength)
            }
            facts.contentLength = length
        case .transferEncoding:
            guard !facts.isChunked, version == .http11 else { throw WireError(.badTransferEncoding) }
            guard value.equalsLowercase("chunked") else { throw WireError(.transferCodingNotSupported) }
            facts.isChunked = true
        case .connection:
            try noteConnection(value)
        case .expect:
            guard !facts.expectsContinue, value.equalsLowercase("100-continue") else {
                throw WireError(.badExpectation)
            }
            facts.expectsContinue = version == .http11
        default:
            break
        }
    }

    private mutating func noteConnection(_ value: UnsafeRawBufferPointer) throws(WireError) {
        if value.equalsLowercase("keep-alive") {
            facts.saysKeepAlive = true
            return
        }
        var options = ListElements(value)
        while let option = options.next() {
            guard option.isToken else { throw WireError(.badConnection) }
            if option.equalsLowercase("close") {
                facts.saysClose = true
            } else if option.equalsLowercase("keep-alive") {
                facts.saysKeepAlive = true
            } else {
                let name = option.baseAddress!.assumingMemoryBound(to: UInt8.self)
                let known = KnownFieldTable.shared.lookup(name, option.count)
                guard !known.isProtected else { throw WireError(.badConnection) }
                facts.namesFields = facts.namesFields || !known.isHopByHop
            }
        }
    }

    /// Marks the fields that Connection names.
    func removeNamedFields(_ fields: inout HeadFields, _ bytes: UnsafePointer<UInt8>) {
        for index in fields.entries.indices where fields.entries[index].known == .connection {
            let range = fields.entries[index].value
            var options = ListElements(UnsafeRawBufferPointer(start: bytes + Int(range.start), count: range.count))
            while let option = options.next() {
                for candidate in fields.entries.indices {
                    let name = fields.entries[candidate].name
                    let nameBytes = UnsafeRawBufferPointer(start: bytes + Int(name.start), count: name.count)
                    if nameBytes.equalsIgnoringCase(option) { fields.remove(at: candidate) }
                }
            }
        }
    }
}
