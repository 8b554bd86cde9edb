package import HTTPWire
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// What NIO's own decoders make of the same bytes. An error is recorded as such, without its kind.
package struct ReferenceObservation {
    package var messages: [ObservedMessage] = []
    package var failed = false

    package static func ofRequests(_ bytes: [UInt8], _ feeding: Feeding = .whole) -> ReferenceObservation {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        var observation = ReferenceObservation()
        do {
            for piece in feeding.pieces(of: bytes) { try channel.writeInbound(ByteBuffer(bytes: piece)) }
        } catch {
            observation.failed = true
        }
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                let version: Version = head.version == .http1_1 ? .http11 : .http10
                observation.begin(
                    "\(head.method.rawValue) \(head.uri) \(version)", head.headers, keepsAlive: head.isKeepAlive)
            case .body(let body): observation.append(body)
            case .end: observation.end()
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return observation
    }

    package static func ofResponses(
        _ bytes: [UInt8], _ feeding: Feeding = .whole, answering method: HTTPWire.Method = .get
    ) -> ReferenceObservation {
        let decoder = HTTPResponseDecoder(informationalResponseStrategy: .forward)
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(decoder))
        var observation = ReferenceObservation()
        let request = HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: "\(method.name)"), uri: "/")
        do {
            for _ in 0..<8 { try channel.writeOutbound(HTTPClientRequestPart.head(request)) }
            for piece in feeding.pieces(of: bytes) { try channel.writeInbound(ByteBuffer(bytes: piece)) }
            channel.pipeline.fireChannelInactive()
            try channel.throwIfErrorCaught()
        } catch {
            observation.failed = true
        }
        while let part = try? channel.readInbound(as: HTTPClientResponsePart.self) {
            switch part {
            case .head(let head):
                let version: Version = head.version == .http1_1 ? .http11 : .http10
                observation.begin("\(version) \(head.status.code)", head.headers, keepsAlive: head.isKeepAlive)
                // No end is reported for these.
                if head.status.code < 200 { observation.end() }
            case .body(let body): observation.append(body)
            case .end: observation.end()
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        return observation
    }

    private mutating func begin(_ startLine: String, _ headers: HTTPHeaders, keepsAlive: Bool) {
        messages.append(
            ObservedMessage(
                startLine: startLine, fields: headers.map { "\($0.name): \(Self.trimmed($0.value))" },
                keepsAlive: keepsAlive)
        )
    }

    /// NIO's values end in the blanks that came after them.
    private static func trimmed(_ value: String) -> Substring {
        var value = value[...]
        while value.utf8.last == 0x20 || value.utf8.last == 0x09 { value = value.dropLast() }
        return value
    }

    private mutating func append(_ body: ByteBuffer) {
        messages[messages.count - 1].body += Array(body.readableBytesView)
    }

    private mutating func end() { messages[messages.count - 1].isComplete = true }
}
