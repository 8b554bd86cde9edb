import Glibc
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

/// A file of upstreams that is read again when it has changed, and has stayed as it is since the look before, so that nobody is within
/// writing it. It blocks its thread.
struct WatchedFile {
    /// What differs between one state of a file and the next.
    private struct Stamp: Equatable {
        var inode: UInt64
        var size: Int64
        var seconds: Int
        var nanoseconds: Int

        init?(_ path: String) {
            var status = stat()
            guard stat(path, &status) == 0 else { return nil }
            inode = UInt64(status.st_ino)
            size = Int64(status.st_size)
            (seconds, nanoseconds) = (status.st_mtim.tv_sec, status.st_mtim.tv_nsec)
        }
    }

    let path: String
    /// Of the file as it was read, and at the look before; nil: it was not there.
    private var read: Stamp?
    private var seen: Stamp?
    private var wasRead = false

    init(_ path: String) { self.path = path }

    /// nil: there is nothing new.
    mutating func look() -> SourceState.Finding? {
        // Taken before the file is read: what changes meanwhile is seen at the next look.
        let current = Stamp(path)
        defer { seen = current }
        guard !wasRead || current != read && current == seen else { return nil }
        (read, wasRead) = (current, true)
        do throws(ConfigurationErrors) {
            return .found(try Endpoint.load(path: path), timeToLive: nil)
        } catch {
            return .trouble("\(error)")
        }
    }
}
