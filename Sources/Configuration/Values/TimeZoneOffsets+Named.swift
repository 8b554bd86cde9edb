import Foundation
import LimiterCore

extension TimeZoneOffsets {
    /// The years before and after now for which changes of clocks are looked up; later on, the last offset stays.
    private static let years = (before: 3, after: 50)

    /// A zone of the IANA database, like `Europe/Berlin`, by the rules that are known today.
    static func named(_ name: String) throws(ConfigurationError) -> TimeZoneOffsets {
        if name == "UTC" { return .utc }
        // Abbreviations and offsets are taken by Foundation, too, and mean other things to other people.
        guard name.contains("/"), let zone = TimeZone(identifier: name) else {
            throw ConfigurationError(unknown(name))
        }
        let year = 366.0 * 86_400
        let start = Date(timeIntervalSinceNow: -year * Double(years.before))
        let end = Date(timeIntervalSinceNow: year * Double(years.after))
        var changes: [(at: Int64, offset: Int64)] = []
        var date = start
        while let next = zone.nextDaylightSavingTimeTransition(after: date), next > date, next < end {
            changes.append((Int64(next.timeIntervalSince1970), Int64(zone.secondsFromGMT(for: next))))
            date = next
        }
        return TimeZoneOffsets(name: name, first: Int64(zone.secondsFromGMT(for: start)), changes: changes)
    }

    private static func unknown(_ name: String) -> String {
        let known = TimeZone.knownTimeZoneIdentifiers
        let place = name.lowercased().replacing(" ", with: "_")
        let near = Spelling.nearest(place, in: known.map { $0.lowercased() }) ?? "/\(place)"
        let hint =
            known.first { $0.lowercased().hasSuffix(near) }.map { "; did you mean \($0)?" }
            ?? "; use a name like Europe/Berlin, or UTC"
        return "`\(name)` is not a time zone of the IANA database\(hint)"
    }
}
