import HTTPWire

/// What Cache-Control says of an answer, as far as it matters to whoever keeps it for a bad moment (RFC 9111 §5.2, RFC 5861 §4).
struct CacheControl {
    private static let name = FieldName("cache-control")

    /// Some directive says that nobody, or nobody but the client, may give the answer again without asking.
    private(set) var forbidsKeeping = false
    /// That of a request, too.
    private(set) var forbidsStoring = false
    private(set) var isPublic = false
    private(set) var maxAge: Int64?
    private(set) var sharedMaxAge: Int64?
    private(set) var staleIfError: Int64?

    init(_ fields: borrowing HeadFields) {
        guard let name = Self.name else { return }
        var next = fields.firstIndex(named: name)
        while let index = next {
            fields.withValue(at: index) { read($0) }
            next = fields.firstIndex(named: name, from: index + 1)
        }
    }

    /// Seconds for which the answer is fresh; 0 where it does not say.
    var freshSeconds: Int64 { sharedMaxAge ?? maxAge ?? 0 }

    /// Seconds that the answer may be old when it is given instead of a failure, `most` at most. A shared cache's own
    /// maximum age means that it must ask when that is over, unless the answer says what holds for failures.
    func longestAge(atMost most: Int64) -> Int64 {
        if let staleIfError {
            let (sum, overflow) = freshSeconds.addingReportingOverflow(staleIfError)
            return overflow ? most : min(most, sum)
        }
        return sharedMaxAge.map { min(most, $0) } ?? most
    }

    /// Quoted arguments may have commas, whose pieces are read as directives too: that can only forbid more.
    private mutating func read(_ value: UnsafeRawBufferPointer) {
        for element in value.split(separator: UInt8(ascii: ",")) {
            let part = Self.trimmed(UnsafeRawBufferPointer(rebasing: element))
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            let directive = Self.trimmed(UnsafeRawBufferPointer(rebasing: part[..<(equals ?? part.count)]))
            let argument = equals.map { Self.trimmed(UnsafeRawBufferPointer(rebasing: part[($0 + 1)...])) }
            if directive.equalsLowercase("max-age") {
                maxAge = Self.seconds(argument)
            } else if directive.equalsLowercase("s-maxage") {
                sharedMaxAge = Self.seconds(argument)
            } else if directive.equalsLowercase("stale-if-error") {
                staleIfError = Self.seconds(argument)
            } else if directive.equalsLowercase("public") {
                isPublic = true
            } else if directive.equalsLowercase("no-store") {
                (forbidsStoring, forbidsKeeping) = (true, true)
            } else if directive.equalsLowercase("private")
                || directive.equalsLowercase("no-cache") || directive.equalsLowercase("must-revalidate")
                || directive.equalsLowercase("proxy-revalidate")
            {
                forbidsKeeping = true
            }
        }
    }

    /// What is not a number counts as 0.
    private static func seconds(_ argument: UnsafeRawBufferPointer?) -> Int64 { argument?.decimal ?? 0 }

    /// Without blanks and quotes around it.
    private static func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        func isPadding(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == UInt8(ascii: "\"") }
        var start = 0
        var end = bytes.count
        while start < end, isPadding(bytes[start]) { start += 1 }
        while end > start, isPadding(bytes[end - 1]) { end -= 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
    }
}
