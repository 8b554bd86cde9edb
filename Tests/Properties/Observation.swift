package import HTTPWire
import NIOCore

/// One message as a reader saw it, in a form in which two readers can be compared.
package struct ObservedMessage: Equatable, CustomStringConvertible {
    package var startLine = ""
    package var fields: [String] = []
    package var body: [UInt8] = []
    package var keepsAlive = true
    package var isComplete = false

    package var description: String {
        "\(startLine) \(fields) body \(String(decoding: body, as: UTF8.self).debugDescription)"
            + " keepsAlive \(keepsAlive) complete \(isComplete)"
    }
}

/// What a reader made of the bytes of a connection.
package struct Observation: Equatable {
    package var messages: [ObservedMessage] = []
    package var error: WireError.Code?
}

/// How bytes are handed to a reader.
package enum Feeding: CaseIterable, Sendable {
    case whole, byteByByte

    package func pieces(of bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        switch self {
        case .whole: [bytes[...]]
        case .byteByByte: bytes.indices.map { bytes[$0...$0] }
        }
    }
}

extension HeadFields {
    package func text(_ range: ByteRange) -> String { withBytes(range) { String(decoding: $0, as: UTF8.self) } }

    package var lines: [String] {
        (0..<count).map { "\(text(self[$0].name)): \(text(self[$0].value))" }
    }
}

extension Observation {
    package static func ofRequests(
        _ bytes: [UInt8], _ feeding: Feeding = .whole, chunks: ChunkedDecoder.Output = .payload,
        limits: HeadLimits = HeadLimits()
    ) -> Observation {
        var reader = RequestReader(limits: limits, chunks: chunks)
        var observation = Observation()
        var buffer = ByteBuffer()
        do {
            for piece in feeding.pieces(of: bytes) {
                buffer.writeBytes(piece)
                while try observation.note(
                    reader.next(&buffer), keepsAlive: reader.head.keepAlive, fields: reader.head.fields,
                    startLine: {
                        "\(reader.head.method.name) \(reader.head.fields.text(reader.head.target)) \(reader.head.version)"
                    })
                {}
            }
        } catch {
            observation.fail(error)
        }
        return observation
    }

    package static func ofResponses(
        _ bytes: [UInt8], _ feeding: Feeding = .whole, answering method: HTTPWire.Method = .get,
        chunks: ChunkedDecoder.Output = .payload, closes: Bool = true
    ) -> Observation {
        var reader = ResponseReader()
        var observation = Observation()
        var buffer = ByteBuffer()
        func advance() throws(WireError) -> Bool {
            try observation.note(
                reader.next(&buffer, answering: method, chunks: chunks), keepsAlive: reader.head.keepAlive,
                fields: reader.head.fields,
                startLine: { "\(reader.head.version) \(reader.head.status)" })
        }
        do {
            for piece in feeding.pieces(of: bytes) {
                buffer.writeBytes(piece)
                while try advance() {}
            }
            if closes, !reader.isBetweenResponses {
                try reader.inputClosed()
                while try advance() {}
            }
        } catch {
            observation.fail(error)
        }
        return observation
    }

    /// How much of a body was yielded before its fault was found depends on how the bytes came.
    private mutating func fail(_ error: WireError) {
        self.error = error.code
        if let last = messages.last, !last.isComplete { messages[messages.count - 1].body = [] }
    }

    /// False where the reader needs more.
    private mutating func note(
        _ event: MessageEvent, keepsAlive: Bool, fields: borrowing HeadFields, startLine: () -> String
    ) -> Bool {
        switch event {
        case .head:
            messages.append(
                ObservedMessage(startLine: startLine(), fields: fields.lines, keepsAlive: keepsAlive))
        case .body(let bytes): messages[messages.count - 1].body += Array(bytes.readableBytesView)
        case .end: messages[messages.count - 1].isComplete = true
        case .needsMore: return false
        }
        return true
    }
}

/// One head, which must be complete and of which nothing may be left.
package func parseRequest(_ text: String, limits: HeadLimits = HeadLimits()) throws -> RequestHead {
    var buffer = ByteBuffer(string: text)
    var head = RequestHead()
    var parser = HeadParser(limits: limits)
    guard try parser.parse(&buffer, into: &head), buffer.readableBytes == 0 else { throw WireError(.truncated) }
    return head
}

package func parseResponse(_ text: String, answering method: HTTPWire.Method = .get) throws -> ResponseHead {
    var buffer = ByteBuffer(string: text)
    var head = ResponseHead()
    var parser = HeadParser()
    guard try parser.parse(&buffer, into: &head, answering: method), buffer.readableBytes == 0 else {
        throw WireError(.truncated)
    }
    return head
}
