import HTTPWire
import NIOCore
import NIOHPACK

/// A request as it is written, made once for each combination of target, tenant and variant.
struct PreparedRequest {
    /// HTTP/1: all of it.
    var bytes: ByteBuffer
    /// HTTP/2.
    var fields: HPACKHeaders
    var body: ByteBuffer
    var method: Method
}

/// Makes requests, and keeps them as long as there are not too many.
final class RequestCatalog {
    private let plan: LoadPlan
    private let names: [String]
    private let isHTTP2: Bool
    private var kept: [PreparedRequest?]

    private static let mostKept = 1 << 17

    /// `names`: of the tenants.
    init(_ plan: LoadPlan, names: [String]) {
        self.plan = plan
        self.names = names
        isHTTP2 = plan.wire != .http1
        let combinations = plan.targets.count * names.count * plan.requests.variants.count
        kept = combinations <= Self.mostKept ? Array(repeating: nil, count: combinations) : []
    }

    func request(target: Int, tenant: Int, variant: Int) -> PreparedRequest {
        let index = (target * names.count + tenant) * plan.requests.variants.count + variant
        guard index < kept.count else { return make(target, tenant, variant) }
        if let request = kept[index] { return request }
        let request = make(target, tenant, variant)
        kept[index] = request
        return request
    }

    private func make(_ target: Int, _ tenant: Int, _ variant: Int) -> PreparedRequest {
        let (requests, target, name) = (plan.requests, plan.targets[target], names[tenant])
        let variant = requests.variants[variant]
        func filled(_ text: String) -> String { text.replacing("{tenant}", with: name) }
        var fields: [(String, String)] = []
        if let field = requests.tenantField, !name.isEmpty { fields.append((field, name)) }
        if let field = requests.costField { fields.append((field, String(variant.cost))) }
        if !requests.body.isEmpty { fields.append(("Content-Length", String(requests.body.count))) }
        fields += requests.fields.map { ($0.name, filled($0.value)) }
        let method = Method.allCases.first { $0.name.description == variant.method } ?? .get
        let body = ByteBuffer(bytes: requests.body)
        if isHTTP2 {
            var list: HPACKHeaders = [
                ":method": variant.method, ":scheme": target.isSecure ? "https" : "http",
                ":authority": target.authority, ":path": filled(target.path),
            ]
            for (name, value) in fields { list.add(name: name.lowercased(), value: value) }
            return PreparedRequest(bytes: ByteBuffer(), fields: list, body: body, method: method)
        }
        var bytes = ByteBuffer()
        bytes.writeString("\(variant.method) \(filled(target.path)) HTTP/1.1\r\nHost: \(target.authority)\r\n")
        for (name, value) in fields { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeString("\r\n")
        bytes.writeBytes(requests.body)
        return PreparedRequest(bytes: bytes, fields: HPACKHeaders(), body: body, method: method)
    }
}
