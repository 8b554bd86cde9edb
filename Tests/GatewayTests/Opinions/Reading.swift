import TestSupport

/// What a proxy took a request for, in a form in which two proxies can be compared.
struct Reading: Equatable, CustomStringConvertible {
    let method: String
    /// Without escapes, as text.
    let path: [UInt8]
    let query: String
    let host: String
    let body: [UInt8]

    /// What an upstream was sent.
    init(_ request: RecordedRequest) {
        method = request.method
        var target = request.target[...]
        for scheme in ["http://", "https://"] where target.lowercased().hasPrefix(scheme) {
            let rest = target.dropFirst(scheme.count)
            target = rest[(rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex)...]
        }
        let question = target.firstIndex(of: "?") ?? target.endIndex
        // Whose escapes haproxy removes with those of the path.
        query = String(decoding: Array(target[question...].utf8).percentDecoded, as: UTF8.self)
        let understood = request.all(ReferenceProxy.pathField).first.map { Array($0.utf8) }
        let unescaped = String(decoding: Array(target[..<question].utf8).percentDecoded, as: UTF8.self)
        let path = understood ?? Array(unescaped.utf8)
        self.path = path.isEmpty ? [UInt8(ascii: "/")] : path
        host = (request.all("Host").first ?? "").lowercased()
        body = request.body
    }

    /// A proxy may name the upstream where a client of HTTP/1.0 named no host.
    func matches(_ other: Reading) -> Bool {
        method == other.method && path == other.path && query == other.query && body == other.body
            && (host == other.host || other.host.isEmpty)
    }

    var description: String {
        "\(method) \(String(decoding: path, as: UTF8.self).debugDescription)\(query) host \(host) body "
            + String(decoding: body, as: UTF8.self).debugDescription
    }
}

/// One proxy's outcome with some bytes.
struct Opinion {
    let proxy: String
    let outcome: Conversations.Outcome
    let requests: [RecordedRequest]
    let readings: [Reading]

    init(_ proxy: String, _ outcome: Conversations.Outcome, _ upstream: RecordingUpstream) {
        self.proxy = proxy
        self.outcome = outcome
        requests = upstream.requests(from: outcome.source)
        readings = requests.map(Reading.init)
    }
}

/// What Weir and others made of the same bytes.
struct Opinions {
    let bytes: [UInt8]
    let weir: Opinion
    let others: [Opinion]

    /// How Weir let through something that another one understands differently, or that nobody else lets through; nil: it did not.
    var danger: String? {
        for (index, reading) in weir.readings.enumerated() {
            let read = others.filter { index < $0.readings.count }
            if let other = read.first(where: { !reading.matches($0.readings[index]) }) {
                return "request \(index + 1) is another one to \(other.proxy)"
            }
            if read.isEmpty, !others.isEmpty { return "request \(index + 1) is let through by Weir alone" }
        }
        return nil
    }

    /// A table of who made what of the bytes.
    var table: String {
        let rows = ([weir] + others).map { opinion in
            let name = opinion.proxy.padding(to: 8)
            let answers = opinion.outcome.statuses.map(String.init).joined(separator: " ").padding(to: 16)
            let seen = opinion.readings.isEmpty ? ["-"] : opinion.readings.map(\.description)
            return "  \(name) \(answers) \(seen.joined(separator: "\n" + String(repeating: " ", count: 28)))"
        }
        return "\(String(decoding: bytes, as: UTF8.self).debugDescription)\n  proxy    answers          upstream saw\n"
            + rows.joined(separator: "\n")
    }
}

extension String {
    fileprivate func padding(to width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
