import Foundation
import Logging
import Telemetry
import UnixSignals
import WeirConfiguration

/// Puts another configuration in force while the process runs: at SIGHUP, and when a file that it was read from has changed.
///
/// What is wrong is refused as a whole, and the one before stays.
actor ConfigurationKeeper {
    /// Reads the configuration that takes the place of `previous`.
    typealias Load = @Sendable (_ previous: Configuration) throws(CommandError) -> Configuration
    typealias Apply = @Sendable (Configuration) async throws -> Void

    private var configuration: Configuration
    private let load: Load?
    private let apply: Apply
    private let accessLog: AccessLog?
    private let metrics: Metrics
    private let logger: Logger
    private var watch: FileWatch
    private var isReloading = false
    /// Why it is to be read again, once that has ended.
    private var nextReason: String?

    private static let interval = Duration.seconds(1)

    /// `load` nil: there is no file. `apply` puts a valid configuration in force; what it throws is the reason why it cannot.
    init(
        _ configuration: Configuration, load: Load?, accessLog: AccessLog?, metrics: Metrics, logger: Logger,
        apply: @escaping Apply
    ) {
        self.configuration = configuration
        self.load = load
        self.apply = apply
        self.accessLog = accessLog
        self.metrics = metrics
        self.logger = logger
        watch = FileWatch(configuration.files.map { FileWatch.Stamp(of: $0) })
    }

    /// Goes on until the task is cancelled.
    func run(_ hangUps: UnixSignalsSequence) async {
        await withTaskGroup { group in
            group.addTask {
                for await _ in hangUps { await self.hangUp() }
            }
            group.addTask {
                while (try? await Task.sleep(for: Self.interval)) != nil { await self.look() }
            }
        }
    }

    /// Also opens the access log's file again, as after a rotation.
    private func hangUp() async {
        accessLog?.reopen()
        await reload("SIGHUP")
    }

    private func look() async {
        guard load != nil, !isReloading, watch.look(configuration.files.map { FileWatch.Stamp(of: $0) }) else { return }
        await reload("a file has changed")
    }

    /// One after the other: what is begun while another one is under way follows it.
    private func reload(_ reason: String) async {
        guard !isReloading else {
            nextReason = reason
            return
        }
        isReloading = true
        await read(reason)
        while let reason = nextReason {
            nextReason = nil
            await read(reason)
        }
        isReloading = false
    }

    private func read(_ reason: String) async {
        guard let load else { return }
        let stamps = configuration.files.map { FileWatch.Stamp(of: $0) }
        do {
            let next = try load(configuration)
            if let refusal = configuration.refusal(ofReloading: next) { throw CommandError(.usage, refusal) }
            let changes = configuration.changes(to: next)
            try await apply(next)
            configuration = next
            metrics.countReload(isRefused: false)
            logger.notice(
                "the configuration was read again",
                metadata: [
                    "reason": "\(reason)",
                    "changes": "\(changes.isEmpty ? "none" : changes.joined(separator: "; "))",
                ])
            watch = FileWatch(
                next.files.count == stamps.count ? stamps : next.files.map { FileWatch.Stamp(of: $0) })
        } catch {
            metrics.countReload(isRefused: true)
            logger.error(
                "the configuration was not read again; the one before stays in force",
                metadata: ["reason": "\(reason)", "error": "\((error as? CommandError)?.message ?? "\(error)")"])
            watch = FileWatch(stamps)
        }
    }
}
