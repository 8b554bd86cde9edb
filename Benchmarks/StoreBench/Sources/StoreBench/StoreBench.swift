import LimiterCore
import Logging
import NIOCore
import NIOPosix
import RedisStore
import WeirConfiguration

/// Prints decisions a second of one store, for `Benchmarks/store`.
///
///     StoreBench redis PORT SECONDS COUNT     exact decisions through one connection, COUNT under way, a tenant of its own each
///     StoreBench local SECONDS KEYS           decisions in memory, and bytes a key
@main
struct StoreBench {
    static func main() async throws {
        let arguments = CommandLine.arguments.dropFirst()
        switch (arguments.first, arguments.dropFirst().compactMap { Int($0) }) {
        case ("redis", let numbers) where numbers.count == 3:
            print(try await redis(port: numbers[0], seconds: numbers[1], underWay: numbers[2]))
        case ("local", let numbers) where numbers.count == 2:
            let (rate, bytes) = try local(seconds: numbers[0], keys: numbers[1])
            print(rate, bytes)
        default:
            print("usage: StoreBench redis PORT SECONDS COUNT | StoreBench local SECONDS KEYS")
        }
    }

    private static func limits() throws -> LimitTable {
        var scope = LimitScope()
        var declaration = LimitDeclaration(name: "global")
        declaration.per = [.tenant]
        declaration.rate = try Rate(parsing: "100/minute")
        try scope.declare(declaration)
        let service = scope.service("api")
        return LimitTable(
            global: scope, services: [.init(name: "api", scope: service, routes: [("/", service.route("/"))])])
    }

    /// Decisions a second.
    private static func redis(port: Int, seconds: Int, underWay: Int) async throws -> Double {
        let group = try limits().services[0].routes[0]
        let loops = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = loops.next()
        let promise = loop.makePromise(of: Double.self)
        loop.execute {
            let store = RedisStore(
                address: RedisAddress(host: "127.0.0.1", port: port), deadline: .seconds(5), on: loop,
                logger: Logger(label: "bench", factory: { _ in SwiftLogNoOpLogHandler() }), metrics: nil)
            store.start()
            Load(store, group, loop, seconds: seconds, underWay: underWay) { promise.succeed($0) }.start()
        }
        let rate = try await promise.futureResult.get()
        try await loops.shutdownGracefully()
        return rate
    }

    /// Decisions a second, and bytes a key with that many keys.
    private static func local(seconds: Int, keys: Int) throws -> (Double, Double) {
        let table = try limits()
        let store = LocalStore(labels: table.labels, time: Monotonic())
        let tenants = (0..<keys).map { Array("tenant-\($0)".utf8) }
        let call = LimitCall()
        func ask(_ tenant: Int) {
            call.prepare(table.services[0].routes[0])
            tenants[tenant].withUnsafeBytes { call.appendValue($0) }
            store.decide(call)
        }
        for tenant in 0..<keys { ask(tenant) }
        let bytes = Double(store.byteCount) / Double(store.count)
        let start = ContinuousClock.now
        var count = 0
        while ContinuousClock.now - start < .seconds(seconds) {
            for _ in 0..<10_000 { ask(Int.random(in: 0..<keys)) }
            count += 10_000
        }
        return (Double(count) / ((ContinuousClock.now - start) / .seconds(1)), bytes)
    }
}

/// Keeps a number of decisions under way, each for a tenant that was not asked for before.
final class Load {
    private let store: RedisStore
    private let group: LimitGroup
    private let loop: any EventLoop
    private let duration: TimeAmount
    private let underWay: Int
    private let done: (Double) -> Void
    private var next = UInt64.random(in: 0..<1 << 32) << 24
    private var answered = 0
    private var started = NIODeadline.now()
    private var isOver = false

    init(
        _ store: RedisStore, _ group: LimitGroup, _ loop: any EventLoop, seconds: Int, underWay: Int,
        _ done: @escaping (Double) -> Void
    ) {
        self.store = store
        self.group = group
        self.loop = loop
        self.done = done
        self.underWay = underWay
        duration = .seconds(Int64(seconds))
    }

    func start() { ask(LimitCall(), Slot(self, isFirst: true)) }

    private func ask(_ call: LimitCall, _ slot: Slot) {
        call.prepare(group)
        next += 1
        var digits: (UInt64, UInt64) = (0, 0)
        withUnsafeMutableBytes(of: &digits) { bytes in
            for index in 0..<16 { bytes[index] = UInt8(ascii: "a") + UInt8(next >> UInt64(4 * index) & 15) }
            call.appendValue(UnsafeRawBufferPointer(bytes))
        }
        call.receiver = slot
        store.decide(call)
    }

    /// Until the connection stands, calls are refused at once.
    private func retry(_ call: LimitCall, _ slot: Slot) {
        let bound = NIOLoopBound((self, call, slot), eventLoop: loop)
        loop.scheduleTask(in: .milliseconds(10)) {
            let (load, call, slot) = bound.value
            load.ask(call, slot)
        }
    }

    private final class Slot: DecisionReceiver {
        private let load: Load
        private var isFirst: Bool

        init(_ load: Load, isFirst: Bool) {
            self.load = load
            self.isFirst = isFirst
        }

        func decided(_ call: LimitCall) {
            if load.isOver { return }
            guard call.decision.outcome != .unavailable else { return load.retry(call, self) }
            if isFirst {
                isFirst = false
                load.started = .now()
                for _ in 1..<load.underWay { load.ask(LimitCall(), Slot(load, isFirst: false)) }
            }
            load.answered += 1
            let elapsed = NIODeadline.now() - load.started
            if elapsed >= load.duration {
                load.isOver = true
                return load.done(Double(load.answered) / (Double(elapsed.nanoseconds) / 1e9))
            }
            load.ask(call, self)
        }
    }
}

struct Monotonic: TimeSource {
    private let start = ContinuousClock.now

    var nowMicroseconds: Int64 {
        let (seconds, attoseconds) = (ContinuousClock.now - start).components
        return 1_767_225_600_000_000 + seconds * 1_000_000 + attoseconds / 1_000_000_000_000
    }
}
