/// What a limit tells its callers apart by: each distinct combination of values has a counter of its own.
package enum Dimension: Hashable, Sendable {
    case tenant
    case service
    case route
    case method
    /// IPv4 addresses one by one, IPv6 by /64.
    case clientIP
    /// A request header's value; the name is lowercase.
    case header(String)
    /// What the caller's token claims under this name; empty where it claims nothing, or more than one value.
    case claim(String)

    package init(parsing text: String) throws(LimitError) {
        switch text {
        case "tenant": self = .tenant
        case "service": self = .service
        case "route": self = .route
        case "method": self = .method
        case "client_ip": self = .clientIP
        default:
            if text.hasPrefix("header:"), text.utf8.count > 7 {
                let name = text.dropFirst(7).lowercased()
                guard name.utf8.allSatisfy(\.isFieldNameByte) else {
                    throw LimitError(.invalidDimension, "`\(name)` cannot be a header's name", key: "per")
                }
                self = .header(name)
                return
            }
            if text.hasPrefix("claim:"), text.utf8.count > 6 {
                let name = String(text.dropFirst(6))
                guard name.utf8.count <= 256, name.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }) else {
                    throw LimitError(.invalidDimension, "`\(name)` cannot be a claim's name", key: "per")
                }
                self = .claim(name)
                return
            }
            throw LimitError(
                .invalidDimension,
                "`\(text)` is not a dimension; use tenant, service, route, method, client_ip, header:<name>, claim:<name> or everyone",
                key: "per")
        }
    }

    package var description: String {
        switch self {
        case .tenant: "tenant"
        case .service: "service"
        case .route: "route"
        case .method: "method"
        case .clientIP: "client_ip"
        case .header(let name): "header:\(name)"
        case .claim(let name): "claim:\(name)"
        }
    }

    /// Whether the number of keys needs a bound: the one who calls can choose the value freely, or an issuer gives each token
    /// another one.
    package var isChosenByClients: Bool {
        switch self {
        case .clientIP, .header, .method, .claim: true
        case .tenant, .service, .route: false
        }
    }

    package var isClaim: Bool { if case .claim = self { true } else { false } }

    /// Whether it is known only once the request has said who calls.
    package var isOfCaller: Bool { self == .tenant || isClaim }

    /// Whether the configuration alone fixes the value.
    package var isFixedByRoute: Bool { self == .service || self == .route }
}

extension UInt8 {
    /// RFC 9110 `tchar`, in lowercase.
    fileprivate var isFieldNameByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }
}
