/// Reads how services move to second versions of them.
final class MigrationReader {
    private let faults: Faults
    private var versions: [(first: String, second: String, place: Position)] = []

    /// Whether some declaration does not say which service is the second version.
    private(set) var isIncomplete = false

    static let keys = ["mirror", "shift"]

    init(faults: Faults) { self.faults = faults }

    /// Names of services that are the second version of another.
    var secondVersions: Set<String> { Set(versions.map(\.second)) }

    func mirror(_ service: Section, of name: String) -> Mirror? {
        let keys = ["to", "share", "methods", "max_body", "timeout", "in_flight"]
        guard let section = service.section("mirror", keys: keys), let second = readVersion(section, of: name) else {
            return nil
        }
        var mirror = Mirror(to: second)
        if let share = share("share", section) {
            mirror.share = share
            if share == 0, let place = section.place(of: "share") {
                faults.add("`mirror.share` is nothing; leave out `mirror`, or give it a share like 10%", place)
            }
        }
        if let methods = readMethods(section) { mirror.methods = methods }
        if let bytes = section.bytes("max_body", in: 0...(16 << 20)) { mirror.maximumBodyBytes = Int(bytes) }
        if let timeout = section.duration("timeout", in: .milliseconds(1)...Duration.seconds(3600)) {
            mirror.timeout = timeout
        }
        if let count = section.integer("in_flight", in: 1...100_000) { mirror.maximumInFlight = count }
        return mirror
    }

    func shift(_ service: Section, of name: String) -> Shift? {
        let keys = ["to", "start", "steps", "every", "return"]
        guard let section = service.section("shift", keys: keys), let second = readVersion(section, of: name) else {
            return nil
        }
        let start = section.read("start", "a time like 2027-01-31T12:00:00Z", MomentText.parse)
        if !section.has("start") {
            faults.add(
                "`shift` does not say when it begins; add `start: 2027-01-31T12:00:00Z`, so that all replicas begin at once",
                section.position)
        }
        var shift = Shift(to: second, startSeconds: start ?? 0)
        if let steps = readSteps(section) { shift.steps = steps }
        if let interval = section.duration("every", in: .seconds(1)...Duration.seconds(90 * 86_400)) {
            shift.interval = interval
        }
        shift.automaticReturn = readReturn(section)
        return shift
    }

    /// All services have been read.
    func finish(_ services: [Service]) {
        for version in versions {
            guard version.first != version.second else {
                faults.add(
                    "the service `\(version.first)` cannot be its own second version; name another", version.place)
                continue
            }
            guard let second = services.first(where: { $0.name == version.second }) else {
                let names = services.map(\.name)
                let hint =
                    Spelling.nearest(version.second, in: names).map { "did you mean `\($0)`?" }
                    ?? "there are \(names.joined(separator: ", "))"
                faults.add("there is no service `\(version.second)`; \(hint)", version.place)
                continue
            }
            if second.sources.isEmpty {
                faults.add("the service `\(version.second)` has no upstreams to send requests to", version.place)
            }
        }
    }

    private func readVersion(_ section: Section, of name: String) -> String? {
        guard let (second, place) = section.text("to", "a service's name") else {
            isIncomplete = true
            if !section.has("to") {
                faults.add(
                    "`\(section.name)` does not say where to; add `to:` with the name of a service, like \(name)-v2",
                    section.position)
            }
            return nil
        }
        versions.append((name, second, place))
        return second
    }

    private func readMethods(_ section: Section) -> Set<String>? {
        guard let list = section.list("methods", of: "methods like GET") else { return nil }
        if list.isEmpty {
            faults.add(
                "`mirror.methods` is empty, so nothing would be mirrored; name some, or leave it out",
                section.place(of: "methods") ?? section.position)
        }
        return Set(
            list.compactMap { element in
                guard case .scalar(let method, _) = element.content, Route.knownMethods.contains(method) else {
                    faults.add(
                        "\(element.kind) in `mirror.methods` is no method; write them like GET", element.position)
                    return nil
                }
                return method
            })
    }

    /// In 10 000.
    private func share(_ key: String, _ section: Section) -> Int? {
        section.read(key, "a share like 10%") { text throws(ConfigurationError) in try Self.share(text) }
    }

    private static func share(_ text: String) throws(ConfigurationError) -> Int {
        Int((try Percentage.parse(text) * 10_000).rounded())
    }

    private func readSteps(_ section: Section) -> [Int]? {
        guard let list = section.list("steps", of: "shares like 5%"), let place = section.place(of: "steps") else {
            return nil
        }
        var steps: [Int] = []
        for element in list {
            guard case .scalar(let text, _) = element.content else {
                faults.add("a step should be a share like 5%, but is \(element.kind)", element.position)
                continue
            }
            let share = faults.at(element.position) { () throws(ConfigurationError) in try Self.share(text) }
            guard let share else { continue }
            if share <= steps.last ?? 0 {
                faults.add(
                    "the step \(text) is not more than what is before it; steps go up, and no tenant moves back",
                    element.position)
            }
            steps.append(share)
        }
        if list.isEmpty { faults.add("`shift.steps` is empty; write it like [5%, 25%, 100%]", place) }
        return steps
    }

    private func readReturn(_ section: Section) -> Shift.Return? {
        var terms = Shift.Return()
        guard let value = section.value("return") else { return terms }
        if case .scalar("off", _) = value.content { return nil }
        guard let own = section.section("return", keys: ["margin", "requests", "window"]) else { return terms }
        if let margin = share("margin", own) { terms.margin = margin }
        if let requests = own.integer("requests", in: 1...1_000_000) { terms.minimumRequests = requests }
        if let window = own.duration("window", in: .seconds(1)...Duration.seconds(3600)) { terms.window = window }
        return terms
    }
}
