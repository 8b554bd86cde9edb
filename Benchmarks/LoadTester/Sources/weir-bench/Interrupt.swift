import Dispatch
import Foundation

/// The first Ctrl-C ends the run early, with its report; the second ends the process.
final class Interrupt {
    private let source: any DispatchSourceSignal

    init(_ stop: @escaping @Sendable () -> Void) {
        signal(SIGINT, SIG_IGN)
        source = DispatchSource.makeSignalSource(signal: SIGINT, queue: .global())
        source.setEventHandler {
            signal(SIGINT, SIG_DFL)
            stop()
        }
        source.resume()
    }

    func cancel() { source.cancel() }
}
