import Foundation
import LimiterCore

/// How overrides lie in Redis; the scripts say where.
enum OverrideFormat {
    static let versionKey = "weir:{~overrides}:version"
    static let valuesKey = "weir:{~overrides}:values"
    static let auditKey = "weir:{~overrides}:audit"

    /// Which change was the last one.
    struct Version: Hashable, Sendable {
        /// Greater with each change; 0: there was none.
        var number: Int64 = 0
        /// When it was made, in microseconds since the epoch.
        var time: Int64 = 0

        /// Empty: none. nil: it is not what the scripts write.
        init?(_ text: some StringProtocol) {
            guard !text.isEmpty else { return }
            let words = text.split(separator: " ")
            guard words.count == 2, let number = Int64(words[0]), let time = Int64(words[1]), number >= 0 else {
                return nil
            }
            (self.number, self.time) = (number, time)
        }

        init() {}
    }

    private struct Value: Codable {
        var tenant: String
        var limit: String
        var service: String?
        var rate: String
        var burst: Int64?
        var reason: String?
        var client: String?
    }

    private struct Author: Codable {
        var reason: String?
        var client: String?
    }

    /// Names of limits and services have no line ends.
    static func field(_ subject: LimitOverride.Subject) -> String {
        "\(subject.limit)\n\(subject.service ?? "")\n\(subject.tenant)"
    }

    static func json(_ override: LimitOverride) -> String {
        encoded(
            Value(
                tenant: override.subject.tenant, limit: override.subject.limit, service: override.subject.service,
                rate: override.rate.description, burst: override.burst, reason: override.author.reason,
                client: override.author.client))
    }

    static func json(_ author: LimitOverride.Author) -> String {
        encoded(Author(reason: author.reason, client: author.client))
    }

    /// As the scripts keep it.
    static func value(_ override: LimitOverride) -> String {
        "\(override.setAtMicroseconds) \(override.expiresAtMicroseconds ?? 0) \(json(override))"
    }

    /// nil: it is not what the scripts write, or a later Weir's.
    static func override(_ text: some StringProtocol) -> LimitOverride? {
        let words = text.split(separator: " ", maxSplits: 2)
        guard words.count == 3, let setAt = Int64(words[0]), let expires = Int64(words[1]), expires >= 0,
            let value = try? JSONDecoder().decode(Value.self, from: Data(words[2].utf8)),
            let rate = try? Rate(parsing: value.rate)
        else { return nil }
        return LimitOverride(
            LimitOverride.Subject(tenant: value.tenant, limit: value.limit, service: value.service), rate: rate,
            burst: value.burst, expiresAtMicroseconds: expires == 0 ? nil : expires, setAtMicroseconds: setAt,
            author: LimitOverride.Author(reason: value.reason, client: value.client))
    }

    static func record(_ text: String) -> OverrideRecord? {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.count == 4 else { return nil }
        let head = lines[0].split(separator: " ")
        let (before, after) = (override(lines[1]), override(lines[2]))
        guard head.count == 3, let time = Int64(head[1]), let action = OverrideRecord.Action(rawValue: String(head[2])),
            let subject = (after ?? before)?.subject
        else { return nil }
        let author = try? JSONDecoder().decode(Author.self, from: Data(lines[3].utf8))
        return OverrideRecord(
            atMicroseconds: time, action: action, subject: subject, before: before, after: after,
            author: LimitOverride.Author(reason: author?.reason, client: author?.client))
    }

    private static func encoded(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { preconditionFailure("strings and numbers can be encoded") }
        return String(decoding: data, as: UTF8.self)
    }

    // MARK: Commands

    static let keys = [versionKey, valuesKey, auditKey]

    static let read = ["EVAL", Script.readOverridesText, "2", versionKey, valuesKey]

    static func change(
        _ action: OverrideRecord.Action, _ subject: LimitOverride.Subject, to override: LimitOverride? = nil,
        by author: LimitOverride.Author, knowing number: Int64
    ) -> [String] {
        ["EVAL", action == .set ? Script.setOverrideText : Script.removeOverrideText, "3"] + keys + [
            "\(number)", action.rawValue, field(subject), "\(override?.expiresAtMicroseconds ?? 0)",
            override.map { json($0) } ?? "", json(author), "\(LimitOverride.mostOverrides)",
            "\(OverrideRecord.mostRecords)",
        ]
    }

    /// `version`: up to which all is known; `number`: the greatest that is, which may be of a later change of one's own.
    static func restore(_ overrides: some Sequence<LimitOverride>, of version: Version, number: Int64) -> [String] {
        ["EVAL", Script.restoreOverridesText, "3"] + keys + [
            "\(number)", "\(version.number)", "\(version.time)", "\(OverrideRecord.mostRecords)",
        ] + overrides.flatMap { [field($0.subject), value($0)] }
    }

    /// The latest records first.
    static let records = [
        "ZRANGE", auditKey, "+inf", "-inf", "BYSCORE", "REV", "LIMIT", "0", "\(OverrideRecord.mostRecords)",
    ]
}
