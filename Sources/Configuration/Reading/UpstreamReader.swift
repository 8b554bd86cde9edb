/// Reads where services are.
struct UpstreamReader {
    let faults: Faults

    private static let form = "a URL like http://127.0.0.1:9001"

    /// Of a service in the configuration.
    func read(_ service: Section) -> [UpstreamSource] {
        let list = service.list("upstreams", of: "URLs like http://127.0.0.1:9001")
        if !service.has("upstreams") || list?.isEmpty == true {
            faults.add(
                "the service has no upstreams; add `upstreams: [http://127.0.0.1:9001]`",
                service.place(of: "upstreams") ?? service.position)
        }
        return readDistinct(list ?? [], readSource)
    }

    /// Of a file of upstreams.
    func read(_ root: YAMLValue) -> [Endpoint] {
        guard case .list(let list) = root.content else {
            faults.add(
                "a file of upstreams should be a list of URLs like http://127.0.0.1:9001, but is \(root.kind)",
                root.position)
            return []
        }
        let sources = readDistinct(list) { element in readEndpoint(element, keys: ["url", "weight"]) }
        return sources.compactMap { if case .fixed(let endpoint) = $0 { endpoint } else { nil } }
    }

    private func readDistinct(_ list: [YAMLValue], _ read: (YAMLValue) -> UpstreamSource?) -> [UpstreamSource] {
        var sources: [UpstreamSource] = []
        for element in list {
            guard let source = read(element) else { continue }
            if sources.contains(where: { $0.isSame(as: source) }) {
                faults.add("the upstream \(source) is listed twice; once is enough", element.position)
            } else {
                sources.append(source)
            }
        }
        return sources
    }

    private func readSource(_ element: YAMLValue) -> UpstreamSource? {
        guard case .mapping(let pairs) = element.content else { return readEndpoint(element, keys: ["url", "weight"]) }
        let names: [String] = pairs.compactMap { if case .scalar(let key, _) = $0.key.content { key } else { nil } }
        if names.contains("dns") { return readDNS(element) }
        if names.contains("srv") { return readSRV(element) }
        if names.contains("file") { return readFile(element) }
        guard names.contains("url") else {
            faults.add(
                "an upstream should be \(Self.form), or a mapping with `url`, `dns`, `srv` or `file`", element.position)
            return nil
        }
        return readEndpoint(element, keys: ["url", "weight"])
    }

    private func readEndpoint(_ element: YAMLValue, keys: [String]) -> UpstreamSource? {
        switch element.content {
        case .scalar(let text, _):
            return faults.at(element.position) { () throws(ConfigurationError) in
                .fixed(Endpoint(try Upstream(parsing: text)))
            }
        case .mapping:
            guard let section = Section(element, "upstreams", keys: keys, faults) else { return nil }
            guard section.has("url") else {
                faults.add("the upstream has no `url`; add one, like `url: http://127.0.0.1:9001`", section.position)
                return nil
            }
            let upstream = section.read("url", Self.form, Upstream.init(parsing:))
            let weight = readWeight(section)
            return upstream.map { .fixed(Endpoint($0, weight: weight)) }
        case .list, .nothing:
            faults.add("an upstream should be \(Self.form), but is \(element.kind)", element.position)
            return nil
        }
    }

    private func readWeight(_ section: Section) -> Int { section.integer("weight", in: Endpoint.weights) ?? 1 }

    private func readDNS(_ element: YAMLValue) -> UpstreamSource? {
        guard let section = Section(element, "upstreams", keys: ["dns", "weight"], faults) else { return nil }
        let weight = readWeight(section)
        let upstream = section.read("dns", "a URL like http://orders.default.svc:8080") {
            text throws(ConfigurationError) in
            let upstream = try Upstream(parsing: text)
            guard !upstream.isAddress else {
                throw ConfigurationError(
                    "`\(upstream.host)` is an address, which needs no DNS; write the URL without `dns:`")
            }
            return upstream
        }
        return upstream.map { .dns($0, weight: weight) }
    }

    private func readSRV(_ element: YAMLValue) -> UpstreamSource? {
        guard let section = Section(element, "upstreams", keys: ["srv", "tls"], faults) else { return nil }
        let usesTLS = section.bool("tls") ?? false
        let name = section.read("srv", "a name like _http._tcp.orders.service.consul") {
            text throws(ConfigurationError) in
            let name = ServiceRecordName(name: text.lowercased(), usesTLS: usesTLS)
            let isWhole = text.hasPrefix("_") && HostPort.isHostName(name.name) && HostPort.isHostName(name.host)
            guard isWhole else {
                throw ConfigurationError(
                    "`\(text)` is not the name of SRV records; write it like _http._tcp.orders.service.consul")
            }
            return name
        }
        return name.map { .srv($0) }
    }

    private func readFile(_ element: YAMLValue) -> UpstreamSource? {
        guard let section = Section(element, "upstreams", keys: ["file"], faults),
            let (path, position) = section.text("file", "a file's path")
        else { return nil }
        let resolved = ConfigurationFile.resolve(path, from: faults.file)
        do throws(ConfigurationErrors) {
            _ = try Endpoint.load(path: resolved)
            return .file(resolved)
        } catch {
            if error.errors.allSatisfy({ $0.line == nil }) {
                let cause = error.errors.map(\.message).joined(separator: "; ")
                faults.add("the file of upstreams `\(path)` cannot be used: \(cause)", position)
            } else {
                faults.add(error)
            }
            return nil
        }
    }
}

extension UpstreamSource {
    /// Whether it names the same place, with whatever weight.
    fileprivate func isSame(as other: UpstreamSource) -> Bool {
        switch (self, other) {
        case (.fixed(let mine), .fixed(let theirs)): mine.upstream == theirs.upstream
        case (.dns(let mine, _), .dns(let theirs, _)): mine == theirs
        case (.srv(let mine), .srv(let theirs)): mine.name == theirs.name
        case (.file(let mine), .file(let theirs)): mine == theirs
        default: false
        }
    }
}

extension Endpoint {
    /// Reads and checks a file of upstreams: a YAML list of URLs, or of mappings like `{url: ..., weight: ...}`. An empty list will do.
    /// Throws all faults at once.
    package static func load(path: String) throws(ConfigurationErrors) -> [Endpoint] {
        let text: String
        do {
            text = try ConfigurationFile.read(path)
        } catch {
            throw ConfigurationErrors([error])
        }
        let faults = Faults(file: path)
        guard let root = YAMLDocument.parse(text, faults) else { throw faults.errors }
        let endpoints = UpstreamReader(faults: faults).read(root)
        guard faults.isEmpty else { throw faults.errors }
        return endpoints
    }
}
