package import LimiterCore
import Logging
import NIOCore

/// Overrides in Redis: every replica asks four times a second whether they have changed, and reads all of them when they have.
///
/// What was last known stays in force while Redis is away, and a Redis that lost its memory gets it back.
///
/// `@unchecked Sendable`: what changes is touched on the event loop of the store alone.
package final class RedisOverrides: OverrideStore, @unchecked Sendable {
    private let backend: any OverrideBackend
    private let loop: any EventLoop
    private let board: OverrideBoard
    private let storeTime: @Sendable () -> Int64
    private let logger: Logger
    private var watch = OverrideWatch()
    private var ticks: RepeatedTask?
    /// Since when nothing was heard, by the loop's clock; nil: something was.
    private var silentSince: Int64?
    private var hasSaidSilence = false

    private static let tick = TimeAmount.milliseconds(250)
    /// A lost answer or two are no news.
    private static let longSilence: Int64 = 2_000_000
    private static let mostExpiredATime = 100

    /// On the backend's loop. `storeTime`: Redis's clock as far as it is known, in microseconds.
    init(
        _ backend: any OverrideBackend, on loop: any EventLoop, board: OverrideBoard,
        storeTime: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.backend = backend
        self.loop = loop
        self.board = board
        self.storeTime = storeTime
        self.logger = logger
    }

    package var isShared: Bool { true }

    /// Looks after them until `stop`. On the loop.
    package func start() {
        ticks = loop.scheduleRepeatedTask(initialDelay: .zero, delay: Self.tick) { _ in self.look() }
    }

    package func stop() async {
        try? await loop.submit {
            self.ticks?.cancel()
            self.ticks = nil
        }.get()
    }

    /// Whether they were ever read.
    package func areKnown() async -> Bool { (try? await loop.submit { self.watch.isKnown }.get()) ?? false }

    private var now: Int64 { Int64(loop.now.uptimeNanoseconds / 1000) }

    // MARK: Watching

    private func look() {
        if watch.hasExpired(at: storeTime()) { post() }
        removeExpired()
        guard watch.begins(at: now) else { return }
        backend.overrideVersion { result in
            switch result {
            case .success(let version):
                self.heard()
                switch self.watch.heard(version) {
                case .nothing: break
                case .read: self.read()
                case .restore: self.restore { self.watch.ended() }
                }
            case .failure(let error):
                self.watch.noAnswer()
                self.notHeard(error)
            }
        }
    }

    private func read() {
        backend.converse([OverrideFormat.read]) { result in
            self.watch.ended()
            switch result.flatMap({ Self.contents($0.last) }) {
            case .success(let (texts, version)):
                let list = texts.compactMap { OverrideFormat.override($0) }
                if list.count < texts.count {
                    self.logger.warning(
                        "overrides in Redis cannot be read, and are not in force",
                        metadata: ["overrides": "\(texts.count - list.count)"])
                }
                if self.watch.read(list, version) { self.post() }
            case .failure(let error): self.notHeard(error)
            }
        }
    }

    private static func contents(_ value: RedisValue?) -> Result<([String], OverrideFormat.Version), StoreError> {
        guard let parts = value?.array, parts.count == 2,
            let version = parts[0].text.flatMap({ OverrideFormat.Version($0) }),
            let pairs = parts[1].array
        else { return .failure(RedisStore.unexpectedReply) }
        return .success((pairs.indices.filter { $0 % 2 == 1 }.compactMap { pairs[$0].text }, version))
    }

    private func restore(_ completion: @escaping () -> Void) {
        guard let version = watch.version else { return completion() }
        let command = OverrideFormat.restore(watch.overrides.values, of: version, number: watch.number)
        backend.converse([command]) { result in
            let restored = result.flatMap { values in
                values.last?.text.flatMap { OverrideFormat.Version($0) }.map { .success($0) }
                    ?? .failure(RedisStore.unexpectedReply)
            }
            switch restored {
            case .success(let version):
                self.watch.restored(version)
                self.logger.notice(
                    "Redis had lost overrides; it has them again",
                    metadata: ["overrides": "\(self.watch.overrides.count)"])
            case .failure(let error): self.notHeard(error)
            }
            completion()
        }
    }

    /// Puts what is known in force, without what has expired.
    private func post() {
        _ = watch.newlyExpired(at: storeTime())
        board.post(Array(watch.overrides.values))
    }

    /// Each replica says what has expired, until Redis has it no longer; the first one that Redis hears removes it.
    private func removeExpired() {
        for subject in watch.expiriesToAsk(most: Self.mostExpiredATime) {
            change(.expired, subject, to: nil, by: LimitOverride.Author()) { result in
                if case .success = result {
                    self.watch.expiryEnded(subject, isGone: true)
                } else {
                    self.watch.expiryEnded(subject, isGone: false)
                }
            }
        }
    }

    private func heard() {
        silentSince = nil
        guard hasSaidSilence else { return }
        hasSaidSilence = false
        logger.notice("overrides in Redis can be read again")
    }

    private func notHeard(_ error: StoreError) {
        let since = silentSince ?? now
        silentSince = since
        guard !hasSaidSilence, now - since >= Self.longSilence || !error.isTransient else { return }
        hasSaidSilence = true
        let what = watch.isKnown ? "those last known stay in force" : "the configuration's limits are in force"
        logger.warning("overrides in Redis cannot be read; \(what)", metadata: ["reason": "\(error)"])
    }

    // MARK: Changing

    package func set(_ override: LimitOverride) async throws(OverrideError) -> LimitOverride? {
        try await changed(.set, override.subject, to: override, by: override.author)
    }

    package func remove(
        _ subject: LimitOverride.Subject, by author: LimitOverride.Author
    ) async throws(OverrideError) -> LimitOverride? {
        try await changed(.removed, subject, to: nil, by: author)
    }

    private func changed(
        _ action: OverrideRecord.Action, _ subject: LimitOverride.Subject, to override: LimitOverride?,
        by author: LimitOverride.Author
    ) async throws(OverrideError) -> LimitOverride? {
        let result: Result<LimitOverride?, OverrideError> = await withCheckedContinuation { continuation in
            loop.execute {
                self.change(action, subject, to: override, by: author) { continuation.resume(returning: $0) }
            }
        }
        return try result.get()
    }

    /// Ends in the override that was there before.
    private func change(
        _ action: OverrideRecord.Action, _ subject: LimitOverride.Subject, to override: LimitOverride?,
        by author: LimitOverride.Author, isRepeated: Bool = false,
        _ completion: @escaping (Result<LimitOverride?, OverrideError>) -> Void
    ) {
        let command = OverrideFormat.change(action, subject, to: override, by: author, knowing: watch.number)
        backend.converse([command]) { result in
            switch result.flatMap({ Self.change($0.last) }) {
            case .failure(let error): completion(.failure(OverrideError(error)))
            case .success(("done", let before, let version)):
                var after = override
                after?.setAtMicroseconds = version.time
                self.watch.changed(subject, to: after, version)
                // What has expired was taken out of force then.
                if action != .expired { self.post() }
                completion(.success(before))
            case .success(("lost", _, _)) where !isRepeated:
                self.restore { self.change(action, subject, to: override, by: author, isRepeated: true, completion) }
            case .success(("full", _, _)):
                completion(.failure(OverrideError(.full, "there are as many as there can be")))
            case .success(("past", _, _)): completion(.failure(OverrideError(.past, "it has expired already")))
            case .success(("none", _, _)): completion(.success(nil))
            case .success(let (outcome, _, _)):
                completion(.failure(OverrideError(.unavailable, "Redis answered `\(outcome)`")))
            }
        }
    }

    private typealias Change = (outcome: String, before: LimitOverride?, version: OverrideFormat.Version)

    private static func change(_ value: RedisValue?) -> Result<Change, StoreError> {
        guard let parts = value?.array, parts.count == 3, let outcome = parts[0].text, let before = parts[1].text,
            let version = parts[2].text.flatMap({ OverrideFormat.Version($0) })
        else { return .failure(RedisStore.unexpectedReply) }
        return .success((outcome, OverrideFormat.override(before), version))
    }

    package func records(of tenant: String?, most: Int) async throws(OverrideError) -> [OverrideRecord] {
        let result: Result<[OverrideRecord], OverrideError> = await withCheckedContinuation { continuation in
            loop.execute {
                self.backend.converse([OverrideFormat.records]) { result in
                    let records = result.map { values in
                        (values.last?.array ?? []).lazy.compactMap { $0.text.flatMap(OverrideFormat.record) }
                            .filter { record in tenant.map { record.subject.isOf($0) } ?? true }.prefix(most)
                    }
                    continuation.resume(
                        returning: records.map { Array($0) }.mapError { OverrideError($0) })
                }
            }
        }
        return try result.get()
    }
}

extension OverrideError {
    fileprivate init(_ error: StoreError) {
        switch error.code {
        case .refused, .unauthorized: self.init(.refused, error.detail)
        default: self.init(.unavailable, error.description)
        }
    }
}

extension OverrideBackend {
    /// On the event loop.
    package func makeOverrides(
        on loop: any EventLoop, board: OverrideBoard, storeTime: @escaping @Sendable () -> Int64, logger: Logger
    ) -> RedisOverrides {
        RedisOverrides(self, on: loop, board: board, storeTime: storeTime, logger: logger)
    }
}
