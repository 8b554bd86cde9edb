import LimiterCore
import Testing

@testable import RedisStore

/// Expectations take no changing calls on a value.
private final class Watched {
    private var watch = OverrideWatch()

    var overrides: [LimitOverride.Subject: LimitOverride] { watch.overrides }
    var isKnown: Bool { watch.isKnown }

    func begins(at now: Int64) -> Bool { watch.begins(at: now) }
    func noAnswer() { watch.noAnswer() }
    func heard(_ version: OverrideFormat.Version) -> OverrideWatch.Action { watch.heard(version) }
    func ended() { watch.ended() }
    func expiriesToAsk(most: Int) -> [LimitOverride.Subject] { watch.expiriesToAsk(most: most) }
    func expiryEnded(_ subject: LimitOverride.Subject, isGone: Bool) { watch.expiryEnded(subject, isGone: isGone) }
    func restored(_ version: OverrideFormat.Version) { watch.restored(version) }
    func read(_ list: [LimitOverride], _ version: OverrideFormat.Version) -> Bool { watch.read(list, version) }
    func hasExpired(at now: Int64) -> Bool { watch.hasExpired(at: now) }
    func newlyExpired(at now: Int64) -> [LimitOverride] { watch.newlyExpired(at: now) }

    func changed(_ subject: LimitOverride.Subject, to override: LimitOverride?, _ version: OverrideFormat.Version) {
        watch.changed(subject, to: override, version)
    }
}

@Suite struct OverrideWatchTests {
    private func version(_ number: Int64, _ time: Int64 = 0) -> OverrideFormat.Version {
        OverrideFormat.Version("\(number) \(time)")!
    }

    private func override(_ tenant: String, expires: Int64? = nil) throws -> LimitOverride {
        LimitOverride(
            .init(tenant: tenant, limit: "global", service: nil), rate: try Rate(parsing: "5/minute"),
            expiresAtMicroseconds: expires, setAtMicroseconds: 7)
    }

    @Test func whatIsNotKnownIsReadAndWhatIsKnownIsNot() throws {
        let watch = Watched()
        #expect(watch.begins(at: 0))
        #expect(!watch.begins(at: 10), "one question at a time")
        #expect(watch.heard(OverrideFormat.Version()) == .read, "also where there are none")
        #expect(watch.heard(version(1)) == .nothing, "it is being read")
        watch.ended()
        #expect(watch.read([], OverrideFormat.Version()))
        #expect(watch.isKnown)
        #expect(watch.heard(OverrideFormat.Version()) == .nothing)
        #expect(watch.heard(version(1)) == .read)
        watch.ended()
        #expect(watch.read([try override("a")], version(1)))
        #expect(watch.heard(version(1)) == .nothing)
        #expect(watch.heard(version(1, 5)) == .read, "another first change")
    }

    @Test func anAnswerThatNeverComesIsNotWaitedForForEver() {
        let watch = Watched()
        #expect(watch.begins(at: 0))
        #expect(!watch.begins(at: OverrideWatch.patience - 1))
        #expect(watch.begins(at: OverrideWatch.patience))
        watch.noAnswer()
        #expect(watch.begins(at: OverrideWatch.patience + 1))
    }

    @Test func aStoreThatHasLessThanWasSeenIsGivenItBack() throws {
        let watch = Watched()
        #expect(watch.read([try override("a")], version(7)))
        #expect(watch.heard(version(6)) == .restore)
        watch.ended()
        #expect(watch.heard(OverrideFormat.Version()) == .restore)
        watch.ended()
        let fresh = Watched()
        #expect(fresh.heard(version(1)) == .read, "who knows nothing has nothing to give")
    }

    @Test func whatWasGivenBackCountsAsOfTheLastVersionThatWasKnownWhole() throws {
        let watch = Watched()
        #expect(watch.read([], version(3)))
        let own = try override("a")
        watch.changed(own.subject, to: own, version(6))
        #expect(watch.heard(OverrideFormat.Version()) == .restore)
        watch.restored(version(3, 9))
        watch.ended()
        #expect(watch.heard(version(3, 9)) == .read, "there is nothing more to give")
        watch.ended()
        #expect(watch.read([own], version(3, 9)))
        #expect(watch.heard(version(3, 9)) == .nothing)
    }

    @Test func anOlderReadDoesNotUndoAChangeOfOnesOwn() throws {
        let watch = Watched()
        #expect(watch.read([], version(3)))
        let own = try override("a")
        watch.changed(own.subject, to: own, version(4))
        #expect(!watch.read([], version(3)), "it began before")
        #expect(watch.overrides.count == 1)
        #expect(watch.heard(version(4)) == .nothing, "nobody else changed anything")
        watch.changed(own.subject, to: nil, version(6))
        #expect(watch.overrides.isEmpty)
        #expect(watch.heard(version(6)) == .read, "somebody made the fifth change")
    }

    @Test func redisIsAskedToRemoveWhatHasExpiredUntilItHas() throws {
        let watch = Watched()
        let list = try ["a", "b", "c"].map { try override($0, expires: 100) }
        #expect(watch.read(list, version(1)))
        #expect(watch.expiriesToAsk(most: 2).isEmpty, "none has expired")
        #expect(watch.newlyExpired(at: 100).count == 3)
        let first = watch.expiriesToAsk(most: 2)
        #expect(first.count == 2 && watch.expiriesToAsk(most: 2).isEmpty, "so many at a time")
        watch.expiryEnded(first[0], isGone: true)
        let second = watch.expiriesToAsk(most: 2)
        #expect(second.count == 1 && !first.contains(second[0]))
        watch.expiryEnded(first[1], isGone: false)
        #expect(watch.expiriesToAsk(most: 2) == [first[1]], "again")
        watch.expiryEnded(second[0], isGone: false)
        watch.changed(second[0], to: list[0], version(2))
        #expect(watch.expiriesToAsk(most: 2).isEmpty, "it was set anew")
        watch.expiryEnded(first[1], isGone: false)
        #expect(watch.read([], version(3)))
        #expect(watch.expiriesToAsk(most: 2).isEmpty, "Redis has none")
    }

    @Test func anAnswerToAChangeOfOnesOwnDoesNotUndoALaterOneThatWasRead() throws {
        let watch = Watched()
        #expect(watch.read([try override("b")], version(6)))
        let own = try override("a")
        watch.changed(own.subject, to: own, version(5))
        #expect(watch.overrides.keys.map(\.tenant) == ["b"])
    }

    @Test func eachEndsAtItsMoment() throws {
        let watch = Watched()
        #expect(
            watch.read(
                [try override("a", expires: 100), try override("b", expires: 200), try override("c")], version(1)))
        #expect(!watch.hasExpired(at: 99))
        #expect(watch.hasExpired(at: 100))
        #expect(watch.newlyExpired(at: 100).map(\.subject.tenant) == ["a"])
        #expect(watch.newlyExpired(at: 199).isEmpty)
        #expect(watch.newlyExpired(at: 1000).map(\.subject.tenant) == ["b"])
        #expect(watch.overrides.keys.map(\.tenant) == ["c"])
    }

    @Test(arguments: ["7", "seven 8", "7 8 9", "-1 5", "7 x"])
    func aVersionThatTheScriptsDoNotWriteIsNone(text: String) { #expect(OverrideFormat.Version(text) == nil) }

    @Test(arguments: [
        "", "1 2", "1 2 {}", "x 2 {\"tenant\":\"a\",\"limit\":\"b\",\"rate\":\"1/s\"}",
        "1 2 {\"tenant\":\"a\",\"limit\":\"b\",\"rate\":\"fast\"}",
    ])
    func aValueThatTheScriptsDoNotWriteIsNone(text: String) { #expect(OverrideFormat.override(text) == nil) }

    @Test func aValueIsReadAsItWasWritten() throws {
        var written = try override("ä \"b\" \\ \u{2028}/c", expires: 99)
        written.burst = 3
        written.subject.service = "pay"
        written.author = LimitOverride.Author(reason: "two\nlines", client: "::1")
        #expect(OverrideFormat.override(OverrideFormat.value(written)) == written)
        #expect(!OverrideFormat.value(written).contains("\n"), "records are lines")
    }
}
