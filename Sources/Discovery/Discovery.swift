package import Logging
import NIOPosix
import Synchronization
package import WeirConfiguration

/// Looks after the sources of upstreams that change by themselves, DNS and files, and says so when they name others.
///
/// Each source is looked at by a task of its own, on threads that may block. A name is asked for again when the smallest time to live
/// of its answer has passed; a file once a second. Where a source cannot say anything, what it said last stays.
package final class Discovery: Sendable {
    private struct State {
        var settings = DNSSettings()
        var watches: [UpstreamSource: Task<Void, Never>] = [:]
        /// Sources that have not been looked at yet.
        var awaited: Set<UpstreamSource> = []
    }

    private let state = Mutex(State())
    private let threads = NIOThreadPool(numberOfThreads: Discovery.threadCount)
    private let logger: Logger
    private let publish: @Sendable ([Endpoint], UpstreamSource) -> Void

    /// Lookups that wait for their servers at a time.
    private static let threadCount = 4
    private static let fileInterval = Duration.seconds(1)
    private static let poll = Duration.milliseconds(5)

    /// `publish` is called with the endpoints that a source names from now on, from any thread, for one source after the other.
    package init(logger: Logger, publish: @escaping @Sendable ([Endpoint], UpstreamSource) -> Void) {
        self.logger = logger
        self.publish = publish
        threads.start()
    }

    /// From now on the sources of these services are looked after, and no others.
    package func use(_ services: [Service], _ settings: DNSSettings) {
        let sources = Set(services.flatMap(\.sources).filter { !$0.isFixed })
        let ended = state.withLock { state in
            let isAskedOtherwise = state.settings != settings
            state.settings = settings
            let ended = state.watches.filter { source, _ in
                !sources.contains(source) || isAskedOtherwise && !source.isFile
            }
            for source in ended.keys {
                state.watches[source] = nil
                state.awaited.remove(source)
            }
            for source in sources where state.watches[source] == nil {
                state.awaited.insert(source)
                state.watches[source] = Task { await self.watch(source, settings) }
            }
            return ended
        }
        for task in ended.values { task.cancel() }
    }

    /// Returns when every source has been looked at once, or when the time has passed.
    package func settle(within limit: Duration) async {
        let end = ContinuousClock.now + limit
        while !Task.isCancelled, state.withLock({ !$0.awaited.isEmpty }), ContinuousClock.now < end {
            try? await Task.sleep(for: Self.poll)
        }
    }

    /// Looks at nothing any more. A lookup that waits for its server ends by itself.
    package func stop() {
        let watches = state.withLock { state in
            defer { state.watches = [:] }
            return state.watches
        }
        for task in watches.values { task.cancel() }
        threads.shutdownGracefully { _ in }
    }

    // MARK: One source

    private func watch(_ source: UpstreamSource, _ settings: DNSSettings) async {
        var state = SourceState(settings)
        var file = if case .file(let path) = source { WatchedFile(path) } else { nil as WatchedFile? }
        let lookup = Lookup(source: source, resolver: Resolver(settings))
        while !Task.isCancelled {
            var next = Self.fileInterval
            let (finding, looked) = await look(lookup, file)
            guard !Task.isCancelled else { return }
            file = looked
            if let finding {
                let steps = state.looked(finding)
                if let line = steps.log { log(line, source) }
                if let endpoints = steps.publish { publish(endpoints, source) }
                if file == nil, let delay = steps.next { next = delay }
            }
            self.state.withLock { _ = $0.awaited.remove(source) }
            try? await Task.sleep(for: next)
        }
    }

    private func look(_ lookup: Lookup, _ file: WatchedFile?) async -> (SourceState.Finding?, WatchedFile?) {
        let result = try? await threads.runIfActive {
            guard var file else { return (lookup.find() as SourceState.Finding?, nil as WatchedFile?) }
            let finding = file.look()
            return (finding, file)
        }
        return result ?? (nil, file)
    }

    private func log(_ line: SourceState.LogLine, _ source: UpstreamSource) {
        var metadata: Logger.Metadata = ["source": "\(source)"]
        switch line {
        case .changed(let before, let after):
            metadata["before"] = "\(before)"
            metadata["now"] = "\(after)"
            logger.info("a source of upstreams names others", metadata: metadata)
        case .troubled(let cause, let kept):
            metadata["cause"] = "\(cause)"
            metadata["upstreams_kept"] = "\(kept)"
            logger.warning("a source of upstreams cannot be used; what it named last stays", metadata: metadata)
        case .recovered(let count):
            metadata["now"] = "\(count)"
            logger.notice("a source of upstreams can be used again", metadata: metadata)
        }
    }
}

extension UpstreamSource {
    fileprivate var isFile: Bool { if case .file = self { true } else { false } }
}
