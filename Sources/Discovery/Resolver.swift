import CResolv
import Glibc
import WeirConfiguration

/// Asks DNS servers through the system's resolver library. Every question blocks its thread until the answer is there, or the servers
/// have had two tries of `DNSSettings.timeout` each.
struct Resolver: Sendable {
    /// What was asked for, and for how long it holds.
    struct Answer<Value> {
        var values: [Value]
        /// Seconds.
        var timeToLive: UInt32
    }

    struct Service: Hashable {
        var target: String
        var port: Int
        var priority: Int
        var weight: Int
        /// Addresses of the target that came along; empty: they have to be asked for.
        var addresses: [String]
    }

    enum Failure: Error, Equatable {
        /// There is no such name, or nothing of the kind at it.
        case absent
        /// No answer that could be used.
        case unanswered
    }

    /// More records of one answer are left out.
    private static let mostRecords = 1024

    private let servers: [weir_dns_server]
    private let timeoutSeconds: Int32

    init(_ settings: DNSSettings) {
        servers = settings.servers.compactMap { Self.server($0) }
        timeoutSeconds = Int32(max(1, settings.timeout.components.seconds))
    }

    private static func server(_ address: ListenAddress) -> weir_dns_server? {
        var server = weir_dns_server()
        server.family = address.host.contains(":") ? AF_INET6 : AF_INET
        server.port = UInt16(address.port)
        let isRead = withUnsafeMutableBytes(of: &server.address) { bytes in
            inet_pton(server.family, address.host, bytes.baseAddress) == 1
        }
        return isRead ? server : nil
    }

    /// All IPv4 and IPv6 addresses of a name. `isWhole`: no search list makes another name of it.
    func addresses(of name: String, isWhole: Bool = false) throws(Failure) -> Answer<String> {
        var answer = Answer<String>(values: [], timeToLive: .max)
        for type in [WEIR_DNS_A, WEIR_DNS_AAAA] {
            do throws(Failure) {
                let records = try ask(name, type, isWhole: isWhole)
                answer.values += records.values.filter { $0.type == type.rawValue && $0.is_additional == 0 }.map(\.text)
                answer.timeToLive = min(answer.timeToLive, records.timeToLive)
            } catch {
                guard error == .absent else { throw error }
            }
        }
        guard !answer.values.isEmpty else { throw .absent }
        return answer
    }

    func services(of name: String) throws(Failure) -> Answer<Service> {
        let records = try ask(name, WEIR_DNS_SRV, isWhole: false)
        let services = records.values.filter { $0.type == WEIR_DNS_SRV.rawValue && $0.is_additional == 0 }
            .map { record in
                let target = record.targetName
                let addresses = records.values.filter {
                    $0.is_additional != 0 && $0.type != WEIR_DNS_SRV.rawValue && $0.ownName == target
                }
                return Service(
                    target: target, port: Int(record.port), priority: Int(record.priority), weight: Int(record.weight),
                    addresses: addresses.map(\.text))
            }
            .filter { !$0.target.isEmpty && $0.target != "." && $0.port > 0 }
        guard !services.isEmpty else { throw .absent }
        return Answer(values: services, timeToLive: records.timeToLive)
    }

    private func ask(_ name: String, _ type: weir_dns_type, isWhole: Bool) throws(Failure) -> Answer<weir_dns_record> {
        var outcome = Int32(WEIR_DNS_FAILED.rawValue)
        var timeToLive = UInt32.max
        let records = [weir_dns_record](unsafeUninitializedCapacity: Self.mostRecords) { memory, count in
            var answer = weir_dns_answer(
                records: memory.baseAddress, capacity: Int64(memory.count), count: 0, ttl: .max)
            outcome = servers.withUnsafeBufferPointer { servers in
                weir_dns_ask(
                    servers.baseAddress, Int32(servers.count), timeoutSeconds, name, isWhole ? 1 : 0,
                    Int32(type.rawValue), &answer)
            }
            count = outcome == Int32(WEIR_DNS_FOUND.rawValue) ? Int(answer.count) : 0
            timeToLive = answer.ttl
        }
        switch UInt32(outcome) {
        case WEIR_DNS_FOUND.rawValue: return Answer(values: records, timeToLive: timeToLive)
        case WEIR_DNS_ABSENT.rawValue: throw .absent
        default: throw .unanswered
        }
    }
}

extension weir_dns_record {
    /// An address as text.
    fileprivate var text: String {
        let family = type == WEIR_DNS_AAAA.rawValue ? AF_INET6 : AF_INET
        return withUnsafeBytes(of: address) { bytes in
            String(unsafeUninitializedCapacity: Int(INET6_ADDRSTRLEN)) { memory in
                memory.withMemoryRebound(to: CChar.self) { text in
                    guard inet_ntop(family, bytes.baseAddress, text.baseAddress, socklen_t(text.count)) != nil else {
                        return 0
                    }
                    return strlen(text.baseAddress!)
                }
            }
        }
    }

    fileprivate var targetName: String { Self.name(target) }
    fileprivate var ownName: String { Self.name(name) }

    private static func name(_ field: some Any) -> String {
        withUnsafeBytes(of: field) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self).lowercased() }
    }
}
