import Gateway
import Logging
import NIOCore
import Synchronization
import Tokens
import WeirConfiguration

/// Keeps the keys of issuers that publish them: fetches them from time to time, and when the gateway misses one.
///
/// The keys of an address that cannot be reached, or that answers nonsense, stay what they were, until they are too old.
final class KeyKeeper: Sendable {
    typealias Deliver = @Sendable (KeyUpdate) -> Void

    private enum Event {
        case time
        case demand
    }

    private struct Address: Sendable {
        let events: AsyncStream<Event>.Continuation
        let tasks: [Task<Void, Never>]
    }

    private let terms: KeyRefresh.Terms
    private let fetcher: KeyFetcher
    private let logger: Logger
    private let addresses = Mutex<[String: Address]>([:])

    init(_ terms: KeyRefresh.Terms = KeyRefresh.Terms(), logger: Logger) {
        self.terms = terms
        self.logger = logger
        fetcher = KeyFetcher()
    }

    /// From now on the keys of these settings' addresses are kept, and those of no others. `deliver` gets what comes of each fetch.
    func keep(_ identity: IdentitySettings, deliver: @escaping Deliver) {
        let wanted = Set(
            identity.tokens.compactMap { token in if case .url(let url) = token.keys { url } else { nil } })
        addresses.withLock { addresses in
            for (address, kept) in addresses where !wanted.contains(address) {
                for task in kept.tasks { task.cancel() }
                addresses[address] = nil
            }
            for address in wanted where addresses[address] == nil { addresses[address] = start(address, deliver) }
        }
    }

    /// A key of this address is missed. On any thread; what comes of it is delivered.
    func request(_ address: String) { addresses.withLock { _ = $0[address]?.events.yield(.demand) } }

    func stop() async {
        let tasks = addresses.withLock { addresses in
            defer { addresses = [:] }
            return addresses.values.flatMap(\.tasks)
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
        await fetcher.shutdown()
    }

    private func start(_ address: String, _ deliver: @escaping Deliver) -> Address {
        // Demands of a moment are one; what comes while a fetch is under way is answered after it.
        let (events, continuation) = AsyncStream.makeStream(of: Event.self, bufferingPolicy: .bufferingNewest(2))
        let keeping = Task { await self.keep(address, events, deliver) }
        let timing = Task {
            repeat { continuation.yield(.time) } while (try? await Task.sleep(for: .seconds(1))) != nil
        }
        return Address(events: continuation, tasks: [keeping, timing])
    }

    private static var now: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    /// One after the other, so that never two fetches run.
    private func keep(_ address: String, _ events: AsyncStream<Event>, _ deliver: Deliver) async {
        var refresh = KeyRefresh(terms, at: Self.now)
        var keys: KeySet?
        for await event in events {
            let begins = event == .demand ? refresh.demand(at: Self.now) : refresh.tick(at: Self.now)
            if begins {
                await fetch(address, &refresh, &keys)
                guard !Task.isCancelled else { return }
            }
            let haveExpired = keys != nil && refresh.haveKeysExpired(at: Self.now)
            if haveExpired {
                keys = nil
                logger.error(
                    "the keys of an issuer are too old; its tokens are answered with 503 until they can be fetched again",
                    metadata: ["url": "\(address)"])
            }
            guard begins || haveExpired || event == .demand else { continue }
            deliver(KeyUpdate(address: address, keys: keys, nextAllowedAt: refresh.nextAllowedAt))
        }
    }

    private func fetch(_ address: String, _ refresh: inout KeyRefresh, _ keys: inout KeySet?) async {
        do {
            let (set, maxAge) = try await fetcher.fetch(address)
            if refresh.succeeded(at: Self.now, maxAge: maxAge) {
                logger.notice("the keys of an issuer can be fetched again", metadata: ["url": "\(address)"])
            }
            keys = set
        } catch {
            guard !Task.isCancelled, refresh.failed(at: Self.now) else { return }
            logger.warning(
                keys == nil
                    ? "the keys of an issuer cannot be fetched; its tokens are answered with 503 until they can"
                    : "the keys of an issuer cannot be fetched; the last ones stay in force",
                metadata: ["url": "\(address)", "reason": "\(error.message)"])
        }
    }
}
