/// The methods that are accepted. Others are answered with 501, so that there are few enough of them to count by.
package enum Method: UInt8, CaseIterable, Sendable {
    case get, head, post, put, delete, patch, options
    case propfind, proppatch, mkcol, copy, move, lock, unlock, search, report, purge, query, acl, bind, unbind, rebind
    case checkout, merge, mkactivity, mkcalendar, link, unlink, subscribe, unsubscribe, notify

    package var name: StaticString {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .patch: "PATCH"
        case .options: "OPTIONS"
        case .propfind: "PROPFIND"
        case .proppatch: "PROPPATCH"
        case .mkcol: "MKCOL"
        case .copy: "COPY"
        case .move: "MOVE"
        case .lock: "LOCK"
        case .unlock: "UNLOCK"
        case .search: "SEARCH"
        case .report: "REPORT"
        case .purge: "PURGE"
        case .query: "QUERY"
        case .acl: "ACL"
        case .bind: "BIND"
        case .unbind: "UNBIND"
        case .rebind: "REBIND"
        case .checkout: "CHECKOUT"
        case .merge: "MERGE"
        case .mkactivity: "MKACTIVITY"
        case .mkcalendar: "MKCALENDAR"
        case .link: "LINK"
        case .unlink: "UNLINK"
        case .subscribe: "SUBSCRIBE"
        case .unsubscribe: "UNSUBSCRIBE"
        case .notify: "NOTIFY"
        }
    }

    /// Sending the request twice has the effect of sending it once (RFC 9110 §9.2.2): it may be retried on another
    /// connection.
    package var isIdempotent: Bool {
        switch self {
        case .get, .head, .put, .delete, .options, .propfind, .search, .report, .query: true
        default: false
        }
    }

    /// Methods are case-sensitive. nil for one that is not in the list.
    @inline(__always)
    static func lookup(_ name: UnsafePointer<UInt8>, _ length: Int) -> Method? {
        switch length {
        case 3 where name[0] == UInt8(ascii: "G") && name[1] == UInt8(ascii: "E") && name[2] == UInt8(ascii: "T"):
            return .get
        default:
            return lookupInAll(name, length)
        }
    }

    private static func lookupInAll(_ name: UnsafePointer<UInt8>, _ length: Int) -> Method? {
        for raw in 0...Method.notify.rawValue {
            guard let method = Method(rawValue: raw), method.name.utf8CodeUnitCount == length else { continue }
            let expected = method.name.utf8Start
            var offset = 0
            while offset < length, name[offset] == expected[offset] { offset += 1 }
            if offset == length { return method }
        }
        return nil
    }
}

package enum Version: UInt8, Sendable {
    case http10, http11
}
