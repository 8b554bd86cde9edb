import WeirConfiguration

/// One look at a source of upstreams. It blocks its thread.
struct Lookup: Sendable {
    let source: UpstreamSource
    let resolver: Resolver

    /// For sources in DNS.
    func find() -> SourceState.Finding {
        do throws(Resolver.Failure) {
            switch source {
            case .dns(let upstream, let weight): return try addresses(of: upstream, weight)
            case .srv(let name): return try services(of: name)
            case .fixed, .file: return .found([], timeToLive: nil)
            }
        } catch {
            switch error {
            case .absent: return .trouble("there is nothing at this name in DNS")
            case .unanswered: return .trouble("no DNS server gave an answer")
            }
        }
    }

    private func addresses(of upstream: Upstream, _ weight: Int) throws(Resolver.Failure) -> SourceState.Finding {
        let answer = try resolver.addresses(of: upstream.host)
        let endpoints = answer.values.map { address in
            Endpoint(
                Upstream(usesTLS: upstream.usesTLS, host: upstream.host, port: upstream.port, address: address),
                weight: weight)
        }
        return .found(endpoints, timeToLive: .seconds(Int64(answer.timeToLive)))
    }

    /// Every address of a target has the target's weight; targets without an address are left out. Where all weights are 0, nobody is
    /// to be preferred (RFC 2782): they become 1.
    private func services(of name: ServiceRecordName) throws(Resolver.Failure) -> SourceState.Finding {
        let answer = try resolver.services(of: name.name)
        let isUnweighted = answer.values.allSatisfy { $0.weight == 0 }
        var timeToLive = answer.timeToLive
        var endpoints: [Endpoint] = []
        for service in answer.values {
            var addresses = service.addresses
            if addresses.isEmpty {
                do throws(Resolver.Failure) {
                    let found = try resolver.addresses(of: service.target, isWhole: true)
                    addresses = found.values
                    timeToLive = min(timeToLive, found.timeToLive)
                } catch {
                    guard error == .absent else { throw error }
                }
            }
            endpoints += addresses.map { address in
                Endpoint(
                    Upstream(usesTLS: name.usesTLS, host: name.host, port: service.port, address: address),
                    weight: isUnweighted ? 1 : service.weight, priority: service.priority)
            }
        }
        guard !endpoints.isEmpty else { throw .absent }
        return .found(endpoints, timeToLive: .seconds(Int64(timeToLive)))
    }
}

/// A file of upstreams that is read again when it has changed. It blocks its thread.
struct WatchedFile {
    let path: String
    /// nil: it was not read yet.
    private var watch: FileWatch?

    init(_ path: String) { self.path = path }

    /// nil: there is nothing new.
    mutating func look() -> SourceState.Finding? {
        // Taken before the file is read: what changes meanwhile is seen at the next look.
        let stamps = [FileWatch.Stamp(of: path)]
        guard watch?.look(stamps) ?? true else { return nil }
        watch = FileWatch(stamps)
        do throws(ConfigurationErrors) {
            return .found(try Endpoint.load(path: path), timeToLive: nil)
        } catch {
            return .trouble("\(error)")
        }
    }
}
