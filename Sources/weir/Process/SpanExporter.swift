import AsyncHTTPClient
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization
import Telemetry
import WeirConfiguration

/// Sends finished spans to a collector, as OTLP over HTTP in JSON: a batch at a time, and each again while the collector is away.
/// Spans wait in a bounded queue meanwhile, which drops what does not fit.
final class SpanExporter: Sendable {
    let queue: SpanQueue
    private let settings: TracingSettings
    private let document: SpanDocument
    private let metrics: SpanMetrics
    private let logger: Logger
    private let client: HTTPClient
    private let wakes: AsyncStream<Void>
    private let wake: AsyncStream<Void>.Continuation
    private let running = Mutex<Task<Void, Never>?>(nil)
    /// So that a collector that is away is told of once, and once when it is back.
    private let isFailing = Atomic(false)
    private let nextLog = Mutex(ContinuousClock.now)

    private static let patience = TimeAmount.seconds(10)
    private static let maximumAnswerBytes = 64 * 1024
    private static let logInterval = Duration.seconds(5)
    /// Characters of what a collector says.
    private static let longestReason = 500

    /// Starts sending.
    init(_ settings: TracingSettings, metrics: SpanMetrics, logger: Logger) {
        self.settings = settings
        self.metrics = metrics
        self.logger = logger
        var attributes: [(name: String, value: String)] = [
            ("service.name", settings.serviceName), ("service.version", Metrics.version),
        ]
        for pair in settings.attributes {
            attributes.removeAll { $0.name == pair.name }
            attributes.append((pair.name, pair.value))
        }
        document = SpanDocument(version: Metrics.version, attributes: attributes)
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.connectionPool.retryConnectionEstablishment = false
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let (wakes, wake) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
        (self.wakes, self.wake) = (wakes, wake)
        queue = SpanQueue(capacity: settings.batch.queue, most: settings.batch.most, metrics: metrics) { wake.yield() }
        running.withLock { $0 = Task { await self.run() } }
    }

    /// Sends what waits, for so long at most, and ends. Spans that come later are dropped and counted.
    func finish(within limit: Duration) async {
        guard let running = running.withLock({ $0.take() }) else { return }
        wake.finish()
        let end = Task {
            try await Task.sleep(for: limit)
            running.cancel()
        }
        await running.value
        end.cancel()
        queue.close()
        try? await client.shutdown()
    }

    private func run() async {
        let timer = Task {
            while !Task.isCancelled {
                try? await Task.sleep(for: settings.batch.interval)
                wake.yield()
            }
        }
        for await _ in wakes { await sendWaiting() }
        timer.cancel()
        await sendWaiting()
    }

    private func sendWaiting() async {
        while !Task.isCancelled, let batch = queue.next() { await send(batch) }
    }

    private func send(_ batch: SpanQueue.Batch) async {
        let body = document.body(batch)
        var backoff = ExportBackoff()
        while true {
            switch await post(body) {
            case .taken(let rejected, let reason):
                let lost = min(max(rejected, 0), batch.spans)
                metrics.countExported(batch.spans - lost)
                if lost > 0 { lose(lost, "the collector took only a part of the spans: \(reason)") }
                if isFailing.exchange(false, ordering: .relaxed) {
                    logger.notice("spans are sent again", metadata: ["collector": "\(place)"])
                }
                return
            case .refused(let reason): return lose(batch.spans, "the collector refused spans: \(reason)")
            case .unavailable(let reason, let retryAfter):
                if !isFailing.exchange(true, ordering: .relaxed) {
                    logger.warning(
                        "spans cannot be sent: \(reason); they are sent again later",
                        metadata: ["collector": "\(place)"])
                }
                guard let pause = backoff.next(retryAfter: retryAfter),
                    (try? await Task.sleep(for: pause)) != nil
                else { return metrics.countDropped(batch.spans) }
            }
        }
    }

    private func lose(_ spans: Int, _ message: String) {
        metrics.countDropped(spans)
        let now = ContinuousClock.now
        let isDue = nextLog.withLock { next in
            guard now >= next else { return false }
            next = now + Self.logInterval
            return true
        }
        guard isDue else { return }
        logger.warning(
            "\(message.prefix(Self.longestReason))", metadata: ["collector": "\(place)", "spans": "\(spans)"])
    }

    /// Where the collector is, without what its URL may hold beside that.
    private var place: String {
        let url = URL(string: settings.collector)
        return url.map { "\($0.host ?? ""):\($0.port ?? ($0.scheme == "https" ? 443 : 80))" } ?? ""
    }

    // MARK: One call

    private enum Outcome {
        case taken(rejected: Int, reason: String)
        case refused(String)
        case unavailable(String, retryAfter: Duration?)
    }

    private func post(_ body: [UInt8]) async -> Outcome {
        var request = HTTPClientRequest(url: settings.collector)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "User-Agent", value: "weir/\(Metrics.version)")
        for header in settings.headers { request.headers.replaceOrAdd(name: header.name, value: header.value) }
        request.body = .bytes(ByteBuffer(bytes: body))
        do {
            let response = try await client.execute(request, timeout: Self.patience)
            let answer = try await response.body.collect(upTo: Self.maximumAnswerBytes)
            switch response.status.code {
            case 200..<300:
                let partial = try? JSONDecoder().decode(ExportAnswer.self, from: Data(answer.readableBytesView))
                return .taken(
                    rejected: partial?.partialSuccess?.rejectedSpans?.value ?? 0,
                    reason: partial?.partialSuccess?.errorMessage ?? "")
            case 429, 502, 503, 504:
                return .unavailable(
                    "the collector answers \(response.status.code)",
                    retryAfter: RetryAfter.parse(response.headers.first(name: "Retry-After"), at: Date()))
            default: return .refused("it answers \(response.status.code)")
            }
        } catch {
            return .unavailable("\((error as? HTTPClientError)?.shortDescription ?? "\(error)")", retryAfter: nil)
        }
    }
}

/// When a batch is sent again: after a second, then after twice as long each time, four times in all, and never sooner than the
/// collector asks for.
struct ExportBackoff {
    static let mostRetries = 4
    private static let longest = Duration.seconds(60)
    private var retries = 0

    /// nil: it is given up. Between half of the time and the time itself, so that replicas do not come back all at once.
    mutating func next(retryAfter: Duration?, chance: Double = .random(in: 0.5...1)) -> Duration? {
        guard retries < Self.mostRetries else { return nil }
        let pause = Duration.seconds(1 << retries) * chance
        retries += 1
        return max(pause, min(retryAfter ?? .zero, Self.longest))
    }
}

/// The field of an answer: seconds, or a date.
enum RetryAfter {
    static func parse(_ text: String?, at now: Date) -> Duration? {
        guard let text else { return nil }
        if let seconds = Int64(text), seconds >= 0 { return .seconds(min(seconds, 86_400)) }
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(identifier: "GMT")
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        guard let date = format.date(from: text) else { return nil }
        return .milliseconds(Int64(max(0, min(date.timeIntervalSince(now), 86_400)) * 1000))
    }
}

/// ExportTraceServiceResponse in JSON.
private struct ExportAnswer: Decodable {
    struct PartialSuccess: Decodable {
        var rejectedSpans: Number?
        var errorMessage: String?
    }

    /// A 64-bit integer, which protobuf's JSON writes as a string and some write as a number.
    struct Number: Decodable {
        let value: Int

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                value = number
            } else {
                value = Int(try container.decode(String.self)) ?? 0
            }
        }
    }

    var partialSuccess: PartialSuccess?
}
