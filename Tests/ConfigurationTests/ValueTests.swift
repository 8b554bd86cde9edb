import LimiterCore
import Testing

@testable import WeirConfiguration

@Suite struct ValueTests {
    private static func sentinel(
        _ servers: [(String, Int)], _ primary: String, password: String? = nil, database: Int = 0, usesTLS: Bool = false
    ) -> RedisAddress {
        var address = RedisAddress(
            .sentinel(primary: primary), servers.map { RedisAddress.Server(host: $0.0, port: $0.1) }, usesTLS: usesTLS,
            database: database)
        address.password = password
        return address
    }

    @Test(arguments: [
        "redis://weir@r:6379/0", "rediss://[::1]:6380/2", "redis+sentinel://a:26379,b:7/main/0",
        "rediss+sentinel://weir@a:26379/main/0", "rediss+cluster://weir@a:6379,b:7",
    ])
    func anAddressIsDescribedAsItsURLWithoutThePassword(text: String) throws {
        let url = text.replacing("weir@", with: "weir:secret@")
        #expect(try RedisAddress(parsing: url).description == text)
    }

    @Test(arguments: [
        ("redis://localhost", RedisAddress(host: "localhost")),
        ("redis://127.0.0.1:6380", RedisAddress(host: "127.0.0.1", port: 6380)),
        ("redis://127.0.0.1:6380/", RedisAddress(host: "127.0.0.1", port: 6380)),
        ("redis://Redis.Example/15", RedisAddress(host: "redis.example", database: 15)),
        ("redis://[::1]:7000/1", RedisAddress(host: "::1", port: 7000, database: 1)),
        ("redis://:secret@r", RedisAddress(host: "r", password: "secret")),
        ("redis://me:a%3Ab%2F%40%25@r", RedisAddress(host: "r", user: "me", password: "a:b/@%")),
        ("redis://me:a:b@r", RedisAddress(host: "r", user: "me", password: "a:b")),
        (
            "rediss://me:p@r:6380/1",
            RedisAddress(host: "r", port: 6380, user: "me", password: "p", database: 1, usesTLS: true)
        ),
        ("redis+sentinel://a,b:7/main", sentinel([("a", 26_379), ("b", 7)], "main")),
        ("redis+sentinel://a,a/m%2Fain/3", sentinel([("a", 26_379)], "m/ain", database: 3)),
        (
            "redis+cluster://a,b:7/",
            RedisAddress(
                .cluster,
                [RedisAddress.Server(host: "a", port: 6379), RedisAddress.Server(host: "b", port: 7)])
        ),
        ("rediss+sentinel://:p@[::1]:5/main", sentinel([("::1", 5)], "main", password: "p", usesTLS: true)),
    ])
    func aRedisURLIsRead(url: String, address: RedisAddress) throws {
        #expect(try RedisAddress(parsing: url) == address)
    }

    @Test(arguments: [
        ("", "no scheme"), ("localhost:6379", "no scheme"), ("http://r", "scheme should be `redis`"),
        ("rediss://", "has no host"), ("REDISS://r", "should be `redis`"),
        ("redis+sentinel://a,b", "does not name the primary"),
        ("redis+sentinel://a,b/", "does not name the primary"), ("redis+sentinel://a,,b/m", "host or port"),
        ("redis+sentinel://a/m/x", "is not a database"), ("redis+sentinel:///m", "has no host"),
        ("redis://a,b", "has one server"), ("redis+other://a", "scheme should be"),
        ("redis+cluster://a/1", "database 0 only"), ("redis+cluster://a,b:x", "host or port"),
        ("redis+cluster://", "has no host"), ("redis+clusters://a", "scheme should be"), ("redis://", "has no host"),
        ("redis://:6379", "host or port"),
        ("redis://r:0", "host or port"), ("redis://r:65536", "host or port"), ("redis://r:x", "host or port"),
        ("redis://r/x", "`x` in the Redis URL is not a database"), ("redis://r/1/2", "is not a database"),
        ("redis://r/-1", "is not a database"), ("redis://r?x=1", "no query"), ("redis://r#x", "no fragment"),
        ("redis://user@r", "a user without a password"), ("redis://u:@r", "password is empty"),
        ("redis://u:p%4@r", "two hexadecimal digits"), ("redis://u:p%zz@r", "two hexadecimal digits"),
        ("redis://u:p/q@r", "%2F"), ("redis://[::1", "host or port"), ("redis://[1.2.3.4]", "host or port"),
        ("redis://a:b@::1", "several colons"), ("redis://a:b@r:x", "`x` is not a port"),
        ("redis://a_b!c", "host or port"), ("redis://1.2.3", "host or port"),
    ])
    func aWrongRedisURLNamesThePart(url: String, fragment: String) {
        let error = #expect(throws: ConfigurationError.self) { try RedisAddress(parsing: url) }
        #expect(error?.message.contains(fragment) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        "redis://me:hunter2@r:x", "redis://me:hunter2%@r", "redis://me:hunter2/@r", "redis://me:hunter2@r/x",
        "rediss://me:hunter2@r:x", "redis+sentinel://me:hunter2@r", "redis+sentinel://me:hunter2/main",
        "redis+sentinel://me:hunter2@a,/main", "redis://me:hunter2@", "redis://me:hunter2", "redis://hunter2@r",
        "redis://me:hunter2#@r", "redis://me:hunter2@[::1",
    ])
    func noMessageHoldsThePassword(url: String) {
        let error = #expect(throws: ConfigurationError.self) { try RedisAddress(parsing: url) }
        #expect(error?.message.contains("hunter2") == false, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("0s", Duration.zero), ("20ms", .milliseconds(20)), ("10s", .seconds(10)), ("1m", .seconds(60)),
        ("2h", .seconds(7200)), ("1500us", .microseconds(1500)),
    ])
    func aDurationIsRead(text: String, duration: Duration) throws {
        #expect(try DurationText.parse(text) == duration)
    }

    @Test(arguments: ["", "20", "ms", "-1s", "1.5s", "1 s", "1d", "1S", "99999999999999h", "99999999999999999999s"])
    func whatIsNoDurationIsRefused(text: String) {
        #expect(throws: ConfigurationError.self) { try DurationText.parse(text) }
    }

    @Test(arguments: [
        (Duration.milliseconds(1), "1ms"), (.seconds(10), "10s"), (.seconds(3600), "1h"), (.seconds(90), "90s"),
        (.zero, "0s"),
    ])
    func aDurationIsWrittenWithItsLargestUnit(duration: Duration, text: String) {
        #expect(DurationText.describe(duration) == text)
    }

    @Test(arguments: [
        ("0", 0), ("65536", 65_536), ("64KiB", 65_536), ("10MiB", 10 << 20), ("1GiB", 1 << 30), ("2kB", 2000),
        ("5B", 5),
    ])
    func aSizeIsRead(text: String, bytes: Int64) throws {
        #expect(try ByteSize.parse(text) == bytes)
    }

    @Test(arguments: ["", "MiB", "-1", "1.5MiB", "1 KiB", "1kb", "9999999999GiB", "10M"])
    func whatIsNoSizeIsRefused(text: String) {
        #expect(throws: ConfigurationError.self) { try ByteSize.parse(text) }
    }

    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080), ("[::1]:0", "::1", 0), ("localhost:65535", "localhost", 65_535),
        ("0.0.0.0:80", "0.0.0.0", 80),
    ])
    func aListenAddressIsRead(text: String, host: String, port: Int) throws {
        #expect(try ListenAddress(parsing: text) == ListenAddress(host: host, port: port))
    }

    @Test(arguments: [
        (":8080", "127.0.0.1:8080 for this machine"), ("8080", "write 127.0.0.1:8080"), ("127.0.0.1", "has no port"),
        ("127.0.0.1:", "is not a port"), ("127.0.0.1:65536", "is not a port"), ("::1:8080", "in brackets"),
        ("[::1]8080", "only `:port`"), ("http://a:80", "several colons"), ("1.2.3.4.5:80", "is not a host's name"),
        ("a b:80", "is not a host's name"), ("", "has no host"),
    ])
    func aWrongListenAddressSaysWhatWouldDo(text: String, fragment: String) {
        let error = #expect(throws: ConfigurationError.self) { try ListenAddress(parsing: text) }
        #expect(error?.message.contains(fragment) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("127.0.0.1:9001", "http:// or https://"), ("ftp://a", "http:// or https://"), ("http://", "has no host"),
        ("http://a/b", "has a path"), ("http://u:p@a", "no user"), ("http://a?x", "a query"),
        ("http://a#x", "fragment"),
        ("http://a:0", "is not a port"), ("http://a//", "has a path"), ("http://[::1", "no `]`"),
    ])
    func aWrongUpstreamSaysWhatWouldDo(text: String, fragment: String) {
        let error = #expect(throws: ConfigurationError.self) { try Upstream(parsing: text) }
        #expect(error?.message.contains(fragment) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: ["/", "/a", "/a.b/c_d-~", "/a/...", "/a/.well-known", "/%C3%A9", "/a%20b", "/a:b@c,d"])
    func aCanonicalPathIsTaken(path: String) throws {
        try RoutePath.check(path)
    }

    @Test(arguments: [
        ("", "does not start"), ("a", "write /a"), ("/a/", "ends in `/`"), ("//", "ends in `/`"),
        ("//a", "empty segment"), ("/a//b", "empty segment"),
        ("/a/./b", "dot segment"), ("/a/..", "dot segment"), ("/a?b", "a query"), ("/a#b", "a fragment"),
        ("/a/*", "wildcard"), ("/%61", "write `a`"), ("/%2f", "cannot stand"), ("/%00", "cannot stand"),
        ("/%25", "cannot stand"), ("/%c3%a9", "in capitals"), ("/%4", "two hexadecimal"), ("/%zz", "two hexadecimal"),
        ("/a b", "` `"), ("/é", "not ASCII"), ("/a;b", "`;`"), ("/a\\b", "`\\`"), ("/a{b}", "`{`"),
    ])
    func aPathThatRequestsNeverHaveIsRefused(path: String, fragment: String) {
        let error = #expect(throws: ConfigurationError.self) { try RoutePath.check(path) }
        #expect(error?.message.contains(fragment) == true, "\(error?.message ?? "")")
    }

    @Test(arguments: [
        ("trusted_proxy", "trusted_proxies"), ("lisen", "listen"), ("worekrs", "workers"), ("Workers", "workers"),
    ])
    func theNearestWordIsFound(word: String, near: String) {
        #expect(Spelling.nearest(word, in: ["listen", "workers", "trusted_proxies"]) == near)
    }

    @Test func aWordThatIsLikeNoneHasNoneNear() {
        #expect(Spelling.nearest("color", in: ["listen", "workers"]) == nil)
        #expect(Spelling.nearest("per", in: []) == nil)
    }
}
