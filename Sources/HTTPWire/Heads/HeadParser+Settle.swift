extension HeadParser {
    /// What the fields together say about a request.
    func settle(_ head: inout RequestHead, _ bytes: UnsafePointer<UInt8>) throws(WireError) {
        guard facts.hosts == 1 || head.version == .http10 else { throw WireError(.badHost) }
        if head.targetForm == .absolute { try compareAuthority(head, bytes) }
        if facts.isChunked {
            guard facts.contentLength < 0 else { throw WireError(.ambiguousLength) }
            head.framing = .chunked
        } else {
            head.framing = facts.contentLength > 0 ? .length(facts.contentLength) : .none
        }
        head.expectsContinue = facts.expectsContinue
        head.keepAlive = keepsAlive(head.version)
        if facts.namesFields { removeNamedFields(&head.fields, bytes) }
    }

    /// RFC 9112 §3.2.2 has clients send the same host twice.
    private func compareAuthority(_ head: borrowing RequestHead, _ bytes: UnsafePointer<UInt8>) throws(WireError) {
        guard let index = head.fields.firstIndex(of: .host) else { return }
        let host = head.fields[index].value
        let same = UnsafeRawBufferPointer(start: bytes + Int(host.start), count: host.count).equalsIgnoringCase(
            UnsafeRawBufferPointer(start: bytes + Int(head.authority.start), count: head.authority.count))
        guard same else { throw WireError(.authorityMismatch) }
    }

    /// What the fields together say about a response.
    func settle(
        _ head: inout ResponseHead, _ bytes: UnsafePointer<UInt8>, answering method: Method
    ) throws(WireError) {
        guard head.status != 101 else { throw WireError(.unexpectedUpgrade) }
        guard !(facts.isChunked && facts.contentLength >= 0) else { throw WireError(.ambiguousLength) }
        if head.status < 200 || head.status == 204 {
            guard !facts.isChunked, facts.contentLength <= 0 else { throw WireError(.unexpectedBody) }
            head.framing = .none
            // RFC 9110 §8.6 allows none here, though many servers send 0.
            head.fields.remove(.contentLength)
        } else if method == .head || head.status == 304 {
            head.framing = .none
        } else if facts.isChunked {
            head.framing = .chunked
        } else if facts.contentLength >= 0 {
            head.framing = facts.contentLength > 0 ? .length(facts.contentLength) : .none
        } else {
            head.framing = .untilClose
        }
        guard head.status >= 200 || keepsAlive(head.version) else { throw WireError(.badConnection) }
        head.keepAlive = keepsAlive(head.version) && head.framing != .untilClose
        if facts.namesFields { removeNamedFields(&head.fields, bytes) }
    }

    private func keepsAlive(_ version: Version) -> Bool {
        !facts.saysClose && (version == .http11 || facts.saysKeepAlive)
    }
}
