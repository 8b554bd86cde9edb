import Foundation
import UnixSignals

/// SIGTERM and SIGINT: the first asks for an orderly end, the second ends the process at once.
struct StopSignal: Sendable {
    private let signals: UnixSignalsSequence

    init() async { signals = await UnixSignalsSequence(trapping: .sigterm, .sigint) }

    /// Returns when the first comes; watches for the second from then on.
    func wait() async {
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        Task {
            var isAsked = false
            for await signal in signals {
                if isAsked { _exit(128 + signal.rawValue) }
                isAsked = true
                ask.yield()
                ask.finish()
            }
        }
        for await _ in asked {}
    }
}
