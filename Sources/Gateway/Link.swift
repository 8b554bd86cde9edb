import Glibc
import NIOCore

/// What a connection's handler does with its channel: small writes are gathered, so that an event ends in one write, and
/// reading goes on and off.
///
/// Gathered bytes go straight to the socket where nothing waits before them: NIO's queue of writes would cost more than the
/// rest of an answer. What the socket does not take at once, pieces of bodies, and everything over TLS go through the channel.
final class Link {
    /// A pause begins only when several reads' worth waits, so that a fast transfer does not stop and go with each of them.
    static let marks = ChannelOptions.Types.WriteBufferWaterMark(low: 64 * 1024, high: 256 * 1024)

    private let worker: Worker
    private let isEncrypted: Bool
    /// nil before the connection is open and after it is closed; what is written then is forgotten.
    private(set) var context: ChannelHandlerContext?
    /// The channel's socket while the channel is open and takes bytes as they are; below zero otherwise.
    private var socket: CInt = -1
    private var gathered = ByteBuffer()
    private var hasUnflushed = false
    /// Whether bytes may wait in the channel, behind which all others have to queue.
    private var isBehind = false
    private var isReading = true

    init(worker: Worker, isEncrypted: Bool = false) {
        self.worker = worker
        self.isEncrypted = isEncrypted
    }

    // MARK: The channel

    func attach(_ context: ChannelHandlerContext) {
        self.context = context
        guard !isEncrypted else { return }
        let handle = try? context.channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { $0 }
        socket = handle ?? -1
    }

    /// The channel has closed its socket, whose number may soon be another one's.
    func closed() { socket = -1 }

    func detach() { context = nil }

    /// Takes bytes from the other side, or leaves them there.
    func setReading(_ reading: Bool) {
        guard reading != isReading else { return }
        isReading = reading
        try? context?.channel.syncOptions?.setOption(.autoRead, value: reading)
    }

    // MARK: Writing

    var isWritable: Bool {
        guard let context else { return false }
        return !isBehind || context.channel.isWritable
    }

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
            isBehind = true
            context?.write(NIOAny(piece), promise: nil)
        }
    }

    /// The connection may be closed when this returns, and its handler told so.
    func flush() {
        guard hasUnflushed else { return }
        hasUnflushed = false
        if isBehind { isBehind = waitingBytes > 0 }
        if !isBehind, socket >= 0, sendGathered() { return }
        let written = writeGathered()
        context?.flush()
        if let written { worker.giveBack(written) }
    }

    /// Whether the socket has taken all. An error is left for the channel to meet again.
    private func sendGathered() -> Bool {
        let sent = gathered.withUnsafeReadableBytes {
            Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
        }
        if sent > 0 { gathered.moveReaderIndex(forwardBy: sent) }
        guard gathered.readableBytes == 0 else { return false }
        worker.giveBack(gathered)
        gathered = ByteBuffer()
        return true
    }

    private func writeGathered() -> ByteBuffer? {
        guard gathered.readableBytes > 0 else { return nil }
        let written = gathered
        gathered = ByteBuffer()
        isBehind = true
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
