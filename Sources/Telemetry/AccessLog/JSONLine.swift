/// The name of a JSON member, with its quotes and colon.
package struct MemberName: Sendable, Hashable, ExpressibleByStringLiteral {
    let bytes: [UInt8]

    package init(_ name: String) {
        var bytes: [UInt8] = []
        Array(name.utf8).withUnsafeBytes { JSONText.append($0, to: &bytes) }
        self.bytes = bytes + [UInt8(ascii: ":")]
    }

    package init(stringLiteral name: StaticString) { self.init("\(name)") }
}

/// Lines that are JSON objects, member by member.
extension AccessLogWriter {
    package func beginObject() {
        begin()
        buffer.append(UInt8(ascii: "{"))
        hasMembers = false
    }

    package func endObject() {
        buffer.append(UInt8(ascii: "}"))
        end()
    }

    package func field(_ name: MemberName, _ bytes: UnsafeRawBufferPointer) {
        append(name)
        JSONText.append(bytes, to: &buffer)
    }

    package func field(_ name: MemberName, _ text: String) {
        var text = text
        text.withUTF8 { field(name, UnsafeRawBufferPointer($0)) }
    }

    package func field(_ name: MemberName, _ text: StaticString) {
        append(name)
        text.withUTF8Buffer { JSONText.append(UnsafeRawBufferPointer($0), to: &buffer) }
    }

    /// The texts that `body` gives, with commas between them; they must need no escaping.
    package func field(_ name: MemberName, listing body: ((String) -> Void) -> Void) {
        append(name)
        buffer.append(UInt8(ascii: "\""))
        var isFirst = true
        body { text in
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
            buffer.append(contentsOf: text.utf8)
        }
        buffer.append(UInt8(ascii: "\""))
    }

    package func field(_ name: MemberName, _ value: Int64) {
        append(name)
        buffer.appendDecimal(value)
    }

    package func field(_ name: MemberName, _ value: Int) { field(name, Int64(value)) }

    package func field(_ name: MemberName, _ value: Bool) {
        append(name)
        buffer.append(contentsOf: value ? "true".utf8 : "false".utf8)
    }

    /// Milliseconds with three decimals; negative durations are written as 0.
    package func field(_ name: MemberName, millisecondsOf nanoseconds: Int64) {
        append(name)
        let microseconds = max(0, nanoseconds) / 1000
        buffer.appendDecimal(microseconds / 1000)
        buffer.append(UInt8(ascii: "."))
        buffer.appendDecimal(microseconds % 1000, width: 3)
    }

    package func field(_ name: MemberName, timeOf epochMicroseconds: Int64) {
        append(name)
        buffer.append(UInt8(ascii: "\""))
        timestamp.append(epochMicroseconds: epochMicroseconds, to: &buffer)
        buffer.append(UInt8(ascii: "\""))
    }

    private func append(_ name: MemberName) {
        if hasMembers { buffer.append(UInt8(ascii: ",")) }
        hasMembers = true
        buffer.append(contentsOf: name.bytes)
    }
}
