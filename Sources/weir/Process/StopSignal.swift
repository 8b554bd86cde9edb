import Foundation
import UnixSignals

/// SIGTERM and SIGINT: the first asks for an orderly end, the second ends the process at once.
struct StopSignal: Sendable {
    private let asked: AsyncStream<Void>

    /// Watches from now on: a signal that comes while the process starts is not lost.
    init() async {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        let (asked, ask) = AsyncStream.makeStream(of: Void.self)
        self.asked = asked
        Task {
            var isAsked = false
            for await signal in signals {
                if isAsked { _exit(128 + signal.rawValue) }
                isAsked = true
                ask.finish()
            }
        }
    }

    /// Returns when the first has come.
    func wait() async { for await _ in asked {} }
}
