import HTTPWire

/// What a request is called in its answer, at the upstream and in the log: 16 digits of the connection and 8 of the request,
/// or what a trusted proxy calls it.
struct RequestID {
    private let connection: UInt64
    /// The requests of the connection, counted.
    private(set) var number: UInt32 = 0
    /// The field of the request's head that holds it.
    private(set) var given: ByteRange?

    static let longest = 128

    init() { connection = UInt64.random(in: .min ... .max) }

    mutating func begin() {
        number &+= 1
        given = nil
    }

    mutating func begin(_ fields: borrowing HeadFields, trusted: Bool) {
        begin()
        guard trusted, let index = fields.firstIndex(of: .xRequestID),
            fields.firstIndex(of: .xRequestID, from: index + 1) == nil,
            fields.withValue(at: index, { $0.count <= Self.longest && $0.isToken })
        else { return }
        given = fields[index].value
    }

    /// At most `longest` bytes, of a token each.
    func write(_ fields: borrowing HeadFields, to cursor: inout ByteCursor) {
        if let given {
            cursor.write(fields, given)
        } else {
            cursor.write(hexadecimal: connection)
            cursor.write(hexadecimal: UInt64(number), digits: 8)
        }
    }

    /// For the log, which takes bytes that lie together.
    func withBytes(_ fields: borrowing HeadFields, _ body: (UnsafeRawBufferPointer) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: Self.longest, alignment: 1) { memory in
            var cursor = ByteCursor(memory)
            write(fields, to: &cursor)
            body(UnsafeRawBufferPointer(rebasing: memory[..<cursor.count]))
        }
    }
}
