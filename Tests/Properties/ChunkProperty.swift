package import HTTPWire
import NIOCore

/// What a decoder of chunks made of bytes.
package struct DecodedChunks: Equatable {
    package var bytes: [UInt8] = []
    package var isAtEnd = false
    package var rest: [UInt8] = []

    package init(
        _ input: [UInt8], yielding output: ChunkedDecoder.Output, _ feeding: Feeding = .whole
    ) throws(WireError) {
        var decoder = ChunkedDecoder(yielding: output)
        var buffer = ByteBuffer()
        for piece in feeding.pieces(of: input) {
            buffer.writeBytes(piece)
            while let slice = try decoder.next(&buffer) { bytes += Array(slice.readableBytesView) }
        }
        isAtEnd = decoder.isAtEnd
        rest = Array(buffer.readableBytesView)
    }
}

/// A chunked body: the same data and the same end however its bytes come, and what is passed on in chunks holds the same data.
enum ChunkProperty {
    static func fault(_ bytes: [UInt8]) -> String? {
        let payload = decoded(bytes, .payload, .whole)
        let framing = decoded(bytes, .framing, .whole)
        for (output, whole) in [(ChunkedDecoder.Output.payload, payload), (.framing, framing)] {
            let pieces = decoded(bytes, output, .byteByByte)
            if pieces != whole { return "\(output): whole \(whole), byte by byte \(pieces): \(bytes.quoted)" }
        }
        guard case .success(let plain) = payload, case .success(let framed) = framing else {
            return error(payload) == error(framing) ? nil : "\(payload) but \(framing): \(bytes.quoted)"
        }
        guard plain.isAtEnd == framed.isAtEnd else { return "one of two is at the end: \(bytes.quoted)" }
        guard plain.isAtEnd else { return nil }
        guard plain.rest == framed.rest else { return "one of two left more: \(bytes.quoted)" }
        let again = decoded(framed.bytes, .payload, .whole)
        guard case .success(let again) = again, again.bytes == plain.bytes, again.isAtEnd, again.rest.isEmpty else {
            return "\(framed.bytes.quoted) holds other data than \(bytes.quoted)"
        }
        return nil
    }

    private static func decoded(
        _ bytes: [UInt8], _ output: ChunkedDecoder.Output, _ feeding: Feeding
    ) -> Result<DecodedChunks, WireError> {
        do throws(WireError) { return .success(try DecodedChunks(bytes, yielding: output, feeding)) } catch {
            return .failure(error)
        }
    }

    private static func error(_ result: Result<DecodedChunks, WireError>) -> WireError? {
        if case .failure(let error) = result { error } else { nil }
    }
}
