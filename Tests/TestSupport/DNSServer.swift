import Foundation
import Synchronization

/// A DNS server on loopback whose records a test changes as it likes, over UDP and, where an answer is longer than 512 bytes, TCP.
package final class DNSServer: Sendable {
    package enum Record: Sendable {
        case a(String)
        case aaaa(String)
        case srv(priority: UInt16 = 0, weight: UInt16 = 1, port: UInt16, target: String)
        case cname(String)

        fileprivate var type: UInt16 {
            switch self {
            case .a: 1
            case .cname: 5
            case .aaaa: 28
            case .srv: 33
            }
        }
    }

    package struct Query: Sendable {
        package let name: String
        package let type: UInt16
        package let isTCP: Bool
        package let time: ContinuousClock.Instant
    }

    private struct State {
        var records: [String: (records: [Record], ttl: UInt32)] = [:]
        var queries: [Query] = []
        /// Answers none; nil: answers as it should.
        var silence: Silence?
    }

    package enum Silence: Sendable {
        case unanswered, serverFailure
    }

    package let port: Int
    private let datagrams: Int32
    private let listener: Int32
    private let state = Mutex(State())

    /// On ::1 instead of 127.0.0.1 where `isIPv6`.
    package init(isIPv6: Bool = false) throws {
        let (udp, tcp, port) = try Self.open(isIPv6 ? AF_INET6 : AF_INET)
        (datagrams, listener, self.port) = (udp, tcp, port)
        Thread.detachNewThread { self.serveDatagrams() }
        Thread.detachNewThread { self.serveConnections() }
    }

    package func stop() {
        shutdown(datagrams, Int32(SHUT_RDWR))
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// What there is at a name from now on; none: there is no such name.
    package func set(_ name: String, _ records: [Record], ttl: UInt32 = 1) {
        state.withLock { $0.records[name.lowercased()] = records.isEmpty ? nil : (records, ttl) }
    }

    package func set(_ silence: Silence?) { state.withLock { $0.silence = silence } }

    package var queries: [Query] { state.withLock { $0.queries } }

    package func queries(_ name: String, _ type: UInt16) -> [Query] {
        queries.filter { $0.name == name.lowercased() && $0.type == type }
    }

    // MARK: Sockets

    private struct CannotOpen: Error {}

    /// Both on one port.
    private static func open(_ family: Int32) throws -> (udp: Int32, tcp: Int32, port: Int) {
        for _ in 0..<100 {
            let udp = socket(family, Int32(SOCK_DGRAM.rawValue), 0)
            let tcp = socket(family, Int32(SOCK_STREAM.rawValue), 0)
            if let port = bind(udp, family, port: 0), bind(tcp, family, port: port) != nil, listen(tcp, 16) == 0 {
                return (udp, tcp, Int(UInt16(bigEndian: port)))
            }
            close(udp)
            close(tcp)
        }
        throw CannotOpen()
    }

    /// Returns the port, which like the one that is asked for is in the order of the network; nil: it is another one's.
    private static func bind(_ descriptor: Int32, _ family: Int32, port: in_port_t) -> in_port_t? {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        return withUnsafeMutableBytes(of: &address) { bytes in
            if family == AF_INET6 {
                bytes.storeBytes(
                    of: sockaddr_in6(
                        sin6_family: sa_family_t(AF_INET6), sin6_port: port, sin6_flowinfo: 0,
                        sin6_addr: in6addr_loopback, sin6_scope_id: 0), as: sockaddr_in6.self)
            } else {
                var local = sockaddr_in()
                local.sin_family = sa_family_t(AF_INET)
                local.sin_port = port
                local.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
                bytes.storeBytes(of: local, as: sockaddr_in.self)
                size = socklen_t(MemoryLayout<sockaddr_in>.size)
            }
            let address = bytes.assumingMemoryBound(to: sockaddr.self).baseAddress!
            guard Glibc.bind(descriptor, address, size) == 0, getsockname(descriptor, address, &size) == 0 else {
                return nil
            }
            // The port stands at the same place in both.
            return bytes.load(fromByteOffset: 2, as: in_port_t.self)
        }
    }

    private func serveDatagrams() {
        var buffer = [UInt8](repeating: 0, count: 2048)
        while true {
            var peer = sockaddr_in6()
            withUnsafeMutablePointer(to: &peer) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { peer in
                    var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
                    let count = recvfrom(datagrams, &buffer, buffer.count, 0, peer, &size)
                    guard count > 0, var answer = answer(Array(buffer[..<count]), isTCP: false) else { return }
                    if answer.count > 512 {
                        answer = Array(answer[..<count])
                        answer[2] |= 0x02
                        for index in 6..<12 { answer[index] = 0 }
                    }
                    sendto(datagrams, answer, answer.count, 0, peer, size)
                }
            }
            // A socket that was shut down gives nothing, from nobody.
            if peer.sin6_port == 0 {
                close(datagrams)
                return
            }
        }
    }

    private func serveConnections() {
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else {
                close(listener)
                return
            }
            if let length = read(2, from: connection),
                let query = read(Int(length[0]) << 8 | Int(length[1]), from: connection),
                let answer = answer(query, isTCP: true)
            {
                let message = [UInt8(answer.count >> 8), UInt8(answer.count & 0xff)] + answer
                send(connection, message, message.count, Int32(MSG_NOSIGNAL))
            }
            close(connection)
        }
    }

    private func read(_ count: Int, from connection: Int32) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        return recv(connection, &bytes, count, Int32(MSG_WAITALL)) == count ? bytes : nil
    }

    // MARK: Messages

    private func answer(_ query: [UInt8], isTCP: Bool) -> [UInt8]? {
        var (labels, index): ([String], Int) = ([], 12)
        while index < query.count, query[index] > 0 {
            let length = Int(query[index])
            guard index + 1 + length < query.count else { return nil }
            labels.append(String(decoding: query[(index + 1)..<(index + 1 + length)], as: UTF8.self))
            index += 1 + length
        }
        guard index + 5 <= query.count else { return nil }
        let type = UInt16(query[index + 1]) << 8 | UInt16(query[index + 2])
        let question = Array(query[12..<(index + 5)])
        let name = labels.joined(separator: ".").lowercased()
        let (found, silence) = state.withLock { state in
            state.queries.append(Query(name: name, type: type, isTCP: isTCP, time: .now))
            return (Self.resolve(name, type, state.records), state.silence)
        }
        if silence == .unanswered { return nil }
        let code: UInt8 = silence == .serverFailure ? 2 : found == nil ? 3 : 0
        let records = silence == nil ? found ?? [] : []
        var answer = Array(query[..<2]) + [0x84 | query[2] & 0x01, 0x80 | code, 0, 1]
        answer += Self.bytes(UInt16(records.count)) + [0, 0, 0, 0] + question
        for (owner, record, ttl) in records {
            let data = Self.data(record)
            answer += Self.encoded(owner) + Self.bytes(record.type) + [0, 1]
            answer += Self.bytes(UInt16(ttl >> 16)) + Self.bytes(UInt16(truncatingIfNeeded: ttl))
            answer += Self.bytes(UInt16(data.count)) + data
        }
        return answer
    }

    /// nil: there is no such name.
    private static func resolve(
        _ name: String, _ type: UInt16, _ records: [String: (records: [Record], ttl: UInt32)]
    ) -> [(owner: String, record: Record, ttl: UInt32)]? {
        guard let entry = records[name] else { return nil }
        var answers = entry.records.filter { $0.type == type }.map { (name, $0, entry.ttl) }
        for record in entry.records {
            guard case .cname(let other) = record else { continue }
            answers.append((name, record, entry.ttl))
            answers += resolve(other, type, records) ?? []
        }
        return answers
    }

    private static func bytes(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xff)] }

    private static func encoded(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    private static func data(_ record: Record) -> [UInt8] {
        switch record {
        case .a(let address): parsed(address, AF_INET, 4)
        case .aaaa(let address): parsed(address, AF_INET6, 16)
        case .cname(let name): encoded(name)
        case .srv(let priority, let weight, let port, let target):
            bytes(priority) + bytes(weight) + bytes(port) + encoded(target)
        }
    }

    private static func parsed(_ address: String, _ family: Int32, _ count: Int) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        precondition(inet_pton(family, address, &bytes) == 1, "\(address) is no address")
        return bytes
    }
}
