import Synchronization

/// A request as an upstream reads it that follows RFC 9112 to the letter.
struct RecordedRequest: Sendable {
    var startLine = ""
    var fields: [(name: String, value: String)] = []
    var body: [UInt8] = []
    /// All its bytes.
    var raw: [UInt8] = []

    func all(_ name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
    }

    var method: String { String(startLine.split(separator: " ", omittingEmptySubsequences: false)[0]) }
    var target: String {
        startLine.split(separator: " ", omittingEmptySubsequences: false).dropFirst().first.map(String.init) ?? ""
    }
    /// Which client it came from, as the proxy before it says.
    var source: String { all("X-Forwarded-For").first ?? "" }
}

/// Reads requests strictly, remembers them by the address of their client, and answers them all alike.
final class RecordingUpstream: Sendable {
    /// What is not a request.
    struct Malformed: Error, CustomStringConvertible {
        let description: String
    }

    private final class Records: Sendable {
        let bySource = Mutex<[String: [RecordedRequest]]>([:])
        let malformed = Mutex<[String]>([])
    }

    private let records = Records()
    private let server: TestUpstream
    var port: Int { server.port }

    init() {
        let records = records
        server = TestUpstream { _, wire, _ in
            var reader = StrictReader(wire)
            do {
                while let request = try reader.next() {
                    records.bySource.withLock { $0[request.source, default: []].append(request) }
                    try wire.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                }
            } catch let malformed as Malformed {
                records.malformed.withLock { $0.append(malformed.description) }
            }
        }
    }

    func requests(from source: String) -> [RecordedRequest] { records.bySource.withLock { $0[source] ?? [] } }
    /// Of whom a proxy said that they were clients.
    var sources: Set<String> { records.bySource.withLock { Set($0.keys) } }
    var malformed: [String] { records.malformed.withLock { $0 } }

    func stop() { server.stop() }
}

/// Requests from a wire, each byte of which must be where the grammar has it.
struct StrictReader {
    private let wire: Wire
    private var bytes: [UInt8] = []

    init(_ wire: Wire) { self.wire = wire }

    /// nil: closed between requests, or within one, which then was none.
    mutating func next() throws -> RecordedRequest? {
        var request = RecordedRequest()
        guard let line = try self.line(&request) else { return nil }
        request.startLine = line
        while let line = try self.line(&request), !line.isEmpty {
            guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else {
                throw malformed("a field without a name: \(line)", request)
            }
            let name = line[..<colon]
            guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw malformed("a name: \(name)", request) }
            var value = line[line.utf8.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
            while value.last == " " || value.last == "\t" { value.removeLast() }
            request.fields.append((String(name), String(value)))
        }
        let lengths = request.all("Content-Length")
        let codings = request.all("Transfer-Encoding")
        guard lengths.count + codings.count <= 1 else { throw malformed("two framings", request) }
        if let length = lengths.first {
            guard let count = Int(length), count >= 0, length.first != "+" else {
                throw malformed("the length \(length)", request)
            }
            guard let body = try take(count, &request) else { return nil }
            request.body = body
        } else if let coding = codings.first {
            guard coding.lowercased() == "chunked" else { throw malformed("the coding \(coding)", request) }
            guard let body = try chunks(&request) else { return nil }
            request.body = body
        }
        return request
    }

    private mutating func chunks(_ request: inout RecordedRequest) throws -> [UInt8]? {
        var body: [UInt8] = []
        while true {
            guard let line = try self.line(&request) else { return nil }
            let digits = line.prefix { $0 != ";" }
            guard !digits.isEmpty, digits.count < 16, digits.allSatisfy(\.isHexDigit), let size = Int(digits, radix: 16)
            else { throw malformed("the chunk size \(line)", request) }
            if size == 0 {
                while let trailer = try self.line(&request) { if trailer.isEmpty { return body } }
                return nil
            }
            guard let data = try take(size, &request), let end = try self.line(&request) else { return nil }
            guard end.isEmpty else { throw malformed("\(end) after a chunk", request) }
            body += data
        }
    }

    /// Up to CRLF, without it.
    private mutating func line(_ request: inout RecordedRequest) throws -> String? {
        while true {
            if let end = bytes.firstIndex(of: 0x0a) {
                let line = bytes[..<end]
                request.raw += bytes[...end]
                bytes.removeFirst(end + 1)
                guard line.last == 0x0d, !line.dropLast().contains(where: { $0 == 0x0d || $0 == 0 }) else {
                    throw malformed("a bare line end or NUL", request)
                }
                return String(decoding: line.dropLast(), as: UTF8.self)
            }
            guard try more() else { return nil }
        }
    }

    private mutating func take(_ count: Int, _ request: inout RecordedRequest) throws -> [UInt8]? {
        while bytes.count < count { guard try more() else { return nil } }
        defer { bytes.removeFirst(count) }
        request.raw += bytes[..<count]
        return Array(bytes[..<count])
    }

    private mutating func more() throws -> Bool {
        guard let piece = try wire.receive() else { return false }
        bytes += piece
        return true
    }

    private func malformed(_ what: String, _ request: RecordedRequest) -> RecordingUpstream.Malformed {
        RecordingUpstream.Malformed(
            description:
                "\(what) in \(String(decoding: request.raw + bytes.prefix(100), as: UTF8.self).debugDescription)")
    }
}
