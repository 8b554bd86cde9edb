import NIOCore

/// What leaves over one connection: small writes are gathered, so that an event ends in one write and one flush.
final class Outlet {
    /// A pause begins only when several reads' worth waits, so that a fast transfer does not stop and go with each of them.
    static let marks = ChannelOptions.Types.WriteBufferWaterMark(low: 64 * 1024, high: 256 * 1024)

    private let worker: Worker
    /// nil before the connection is open and after it is closed; what is written then is forgotten.
    var context: ChannelHandlerContext?
    private var gathered = ByteBuffer()
    private var hasUnflushed = false

    init(worker: Worker) { self.worker = worker }

    var isWritable: Bool { context?.channel.isWritable ?? false }

    /// Bytes that no write has been made of yet.
    var gatheredBytes: Int { gathered.readableBytes }

    /// Bytes that the socket has not taken yet.
    var waitingBytes: Int { (try? context?.channel.syncOptions?.getOption(.bufferedWritableBytes)) ?? 0 }

    /// Appends to what is gathered.
    func append(_ body: (inout ByteBuffer) -> Void) {
        if gathered.storageCapacity == 0 { gathered = worker.takeBuffer() }
        body(&gathered)
        hasUnflushed = true
    }

    /// Appends a piece of a body: copied where that is cheaper than an element of a vector.
    func append(_ piece: ByteBuffer) {
        if piece.readableBytes <= Worker.longestCopy {
            append { $0.writeImmutableBuffer(piece) }
        } else {
            hasUnflushed = true
            _ = writeGathered()
            context?.write(NIOAny(piece), promise: nil)
        }
    }

    /// The connection may be closed when this returns, and its handler told so.
    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        let written = writeGathered()
        context?.flush()
        if let written { worker.giveBack(written) }
    }

    private func writeGathered() -> ByteBuffer? {
        guard gathered.readableBytes > 0 else { return nil }
        let written = gathered
        gathered = ByteBuffer()
        context?.write(NIOAny(written), promise: nil)
        return written
    }

    /// Closes once all has been written.
    func closeAfterWrites() {
        flush()
        guard let context else { return }
        guard waitingBytes > 0 else { return context.close(promise: nil) }
        let promise = context.eventLoop.makePromise(of: Void.self)
        promise.futureResult.assumeIsolated().whenComplete { _ in context.close(promise: nil) }
        context.writeAndFlush(NIOAny(ByteBuffer()), promise: promise)
    }
}
