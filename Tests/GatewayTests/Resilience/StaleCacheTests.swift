import HTTPWire
import NIOCore
import TestSupport
import Testing
import WeirConfiguration

@testable import Gateway

struct StaleCacheTests {
    private func answer(_ bytes: Int, at now: Int64 = 0, lifetime: Int64 = .max) -> StaleAnswer {
        StaleAnswer(
            status: 200, head: [], body: Array(repeating: 1, count: bytes), storedAt: now, ageWhenStored: 0,
            freshSeconds: 0, lifetimeNanoseconds: lifetime)
    }

    /// Against a list in the order of use.
    @Test func itStaysWithinItsBoundsAndForgetsWhatWasUsedLongestAgo() {
        var generator = SeededGenerator()
        let most = 20_000
        for entries in [1, 7, 40] {
            var cache = StaleCache(maximumEntries: entries, maximumBytes: most)
            var naive: [(key: [UInt8], bytes: Int)] = []
            for _ in 0..<3000 {
                let key = Array("key-\(Int.random(in: 0..<60, using: &generator))".utf8)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0:
                    let found = cache.find(key, at: 0)
                    let index = naive.firstIndex { $0.key == key }
                    #expect((found != nil) == (index != nil))
                    if let index { naive.append(naive.remove(at: index)) }
                case 1:
                    cache.remove(key)
                    naive.removeAll { $0.key == key }
                default:
                    let size =
                        Int.random(in: 0...3000, using: &generator)
                        * (Int.random(in: 0..<50, using: &generator) == 0 ? 10 : 1)
                    cache.store(key, answer(size))
                    naive.removeAll { $0.key == key }
                    let bytes = size + key.count + StaleCache.overheadBytes
                    guard bytes <= most else { continue }
                    while naive.count >= entries || naive.reduce(bytes, { $0 + $1.bytes }) > most {
                        naive.removeFirst()
                    }
                    naive.append((key, bytes))
                }
                #expect(cache.bytes <= most)
                #expect(cache.bytes == naive.reduce(0) { $0 + $1.bytes })
                #expect(cache.count == naive.count)
            }
        }
    }

    @Test func whatIsTooOldIsNotGiven() {
        var cache = StaleCache(maximumEntries: 10, maximumBytes: 10_000)
        cache.store([1], answer(1, at: 100, lifetime: 50))
        let found = [150, 151].map { cache.find([1], at: $0) != nil }
        #expect(found == [true, false])
        #expect(cache.bytes == 0)
    }

    private func judge(
        _ answer: String, _ request: String = "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        _ change: (inout StaleRules) -> Void = { _ in }
    ) throws -> (kept: StaleAnswer?, forgets: Bool) {
        var rules = StaleRules()
        change(&rules)
        let stale = ResiliencePlan.Stale(rules: rules, vary: rules.vary.compactMap { FieldName($0) }, cache: 0)
        var requests = RequestReader()
        var requestBytes = ByteBuffer(string: request)
        guard case .head = try requests.next(&requestBytes) else { throw WireError(.truncated) }
        var responses = ResponseReader()
        var bytes = ByteBuffer(string: answer)
        guard case .head = try responses.next(&bytes, answering: requests.head.method) else {
            throw WireError(.truncated)
        }
        switch StaleRecording.judge(
            responses.head, to: requests.head, isOfUser: requests.head.fields.contains(.authorization),
            credentials: [], nil, stale)
        {
        case .forget: return (nil, true)
        case .leave: return (nil, false)
        case .keep(var recording):
            while case .body(let piece) = try responses.next(&bytes, answering: requests.head.method) {
                recording.append(piece)
            }
            return (recording.finished(isPayload: false, at: 0), false)
        }
    }

    private static func text(_ fields: String, status: Int = 200) -> String {
        "HTTP/1.1 \(status) X\r\n\(fields.isEmpty ? "" : fields + "\r\n")Content-Length: 2\r\n\r\nok"
    }

    @Test func anAnswerIsKeptWithoutWhatIsOfOneAnswerAlone() throws {
        let fields =
            "ETag: \"1\"\r\nRetry-After: 1\r\nRateLimit: x\r\nX-Request-Id: 1\r\nAge: 7\r\nConnection: x\r\nX: 1"
        let kept = try #require(try judge(Self.text(fields)).kept)
        #expect(String(decoding: kept.head, as: UTF8.self) == "HTTP/1.1 200 X\r\nETag: \"1\"\r\n")
        #expect(kept.body == Array("ok".utf8))
        #expect(kept.age(at: 5_000_000_000) == 12)
        #expect(kept.lifetimeNanoseconds == 593_000_000_000)
    }

    @Test func chunksAreTakenOff() throws {
        let kept = try judge("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            .kept
        #expect(kept.map { String(decoding: $0.body, as: UTF8.self) } == "abcde")
    }

    /// Seconds for which it may be given; nil: it must not be.
    @Test(
        arguments: [
            ("", 600), ("Cache-Control: max-age=10", 600), ("Cache-Control: stale-if-error=30", 30),
            ("Cache-Control: max-age=10, stale-if-error=30", 40),
            ("Cache-Control: max-age=10\r\nCache-Control: stale-if-error=\"30\"", 40),
            ("Cache-Control: max-age=10, stale-if-error=100000", 600),
            ("Cache-Control: stale-if-error=9223372036854775807, max-age=10", 600),
            ("Cache-Control: stale-if-error=0", nil), ("Cache-Control: s-maxage=20", 20),
            ("Cache-Control: no-store", nil), ("Cache-Control: PRIVATE", nil),
            ("Cache-Control: no-cache=\"a, b\"", nil),
            ("Cache-Control: max-age=5, must-revalidate", nil), ("Cache-Control: proxy-revalidate", nil),
            ("Set-Cookie: a=1", nil), ("Vary: Accept", 600), ("Vary: accept-language, Accept-Encoding", 600),
            ("Vary: User-Agent", nil), ("Vary: *", nil), ("Vary: Cookie", 600),
        ] as [(String, Int?)])
    func anAnswersOwnWordIsObeyed(fields: String, seconds: Int?) throws {
        let (kept, forgets) = try judge(Self.text(fields))
        #expect(kept.map { Int($0.lifetimeNanoseconds / 1_000_000_000) } == seconds)
        #expect(forgets == (seconds == nil))
    }

    @Test func onlyWholeGoodAnswersAreKept() throws {
        for status in [206, 304, 403, 429, 500, 503] {
            let (kept, forgets) = try judge(Self.text("", status: status))
            #expect(kept == nil && !forgets)
        }
        for status in [404, 410] { #expect(try judge(Self.text("", status: status)).forgets) }
        #expect(try judge(Self.text(""), "POST / HTTP/1.1\r\nHost: a\r\n\r\n").kept == nil)
        #expect(try judge(Self.text(""), "GET / HTTP/1.1\r\nHost: a\r\nCache-Control: no-store\r\n\r\n").forgets)
        #expect(try judge(Self.text("")) { $0.maximumBodyBytes = 1 }.forgets)
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        #expect(try judge(chunked) { $0.maximumBodyBytes = 2 }.kept == nil)
        #expect(try judge(chunked) { $0.maximumBodyBytes = 3 }.kept != nil)
    }

    @Test func whatIsSharedIsNobodysOwn() throws {
        let own = "GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\n\r\n"
        #expect(try judge(Self.text(""), own).kept != nil)
        #expect(try judge(Self.text(""), own) { $0.isShared = true }.forgets)
        #expect(try judge(Self.text("Cache-Control: public"), own) { $0.isShared = true }.kept != nil)
        #expect(try judge(Self.text("Vary: Cookie")) { $0.isShared = true }.forgets)
    }

    @Test func aKeyTellsApartWhatMayDiffer() throws {
        func key(_ request: String, route: String = "r", tenant: String = "acme", shared: Bool = false) throws
            -> [UInt8]
        {
            var rules = StaleRules()
            rules.isShared = shared
            let stale = ResiliencePlan.Stale(rules: rules, vary: rules.vary.compactMap { FieldName($0) }, cache: 0)
            var reader = RequestReader()
            var bytes = ByteBuffer(string: request)
            guard case .head = try reader.next(&bytes) else { throw WireError(.truncated) }
            var path = CanonicalPath()
            try path.resolve(reader.head)
            return StaleKey.make(
                of: reader.head, path: path, route: route, tenant: Array(tenant.utf8),
                credentials: [FieldName("x-token")].compactMap { $0 }, stale)
        }
        let requests = [
            "GET /a HTTP/1.1\r\nHost: a\r\n\r\n", "GET /b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: b\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\nAccept: x\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: a\r\nAccept-Encoding: x\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: a\r\nAccept: x\r\nAccept: y\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: a\r\nAccept: y\r\nAccept: x\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: a\r\nX-Token: x\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\nX-Token: y\r\n\r\n",
            "GET /a HTTP/1.1\r\nHost: a\r\nCookie: x\r\n\r\n", "GET /a HTTP/1.1\r\nHost: a\r\nAuthorization: x\r\n\r\n",
        ]
        var keys = Set(try requests.map { try key($0) })
        keys.insert(try key(requests[0], tenant: "globex"))
        keys.insert(try key(requests[0], route: "s"))
        #expect(keys.count == requests.count + 2)
        #expect(try key("GET /%61 HTTP/1.1\r\nHost: A\r\nX: 1\r\n\r\n") == key(requests[0]))
        #expect(try key(requests[0], shared: true) == key(requests[8], tenant: "globex", shared: true))
    }
}
