/// What is sent, apart from where and for whom.
package struct Requests: Sendable {
    /// One kind of request; several are drawn by weight.
    package struct Variant: Hashable, Sendable {
        package let method: String
        /// In the limit's units. Nothing is sent of it unless there is a cost field.
        package let cost: Int

        package init(method: String, cost: Int) {
            self.method = method
            self.cost = cost
        }
    }

    package struct Field: Hashable, Sendable {
        package let name: String
        /// `{tenant}` in it is replaced.
        package let value: String
    }

    package var variants: [Variant]
    package var weights: [Double]
    package var fields: [Field] = []
    /// The field that says who asks; none is sent for anonymous tenants.
    package var tenantField: String? = "X-Tenant"
    /// The field that says what a request costs.
    package var costField: String?
    package var body: [UInt8] = []

    package init(methods: String = "GET", costs: String = "1") throws(LoadError) {
        let methods = try Self.weighted(methods, "--method") { $0 }
        let costs = try Self.weighted(costs, "--cost") {
            Int($0).flatMap { (0...1_000_000_000).contains($0) ? $0 : nil }
        }
        for (method, _) in methods {
            guard !method.isEmpty, method.utf8.allSatisfy({ Self.isToken($0) }) else {
                throw .usage("--method: `\(method)` is not a method")
            }
        }
        variants = []
        weights = []
        for (method, methodWeight) in methods {
            for (cost, costWeight) in costs {
                variants.append(Variant(method: method, cost: cost))
                weights.append(methodWeight * costWeight)
            }
        }
    }

    /// Adds `Name: value`.
    package mutating func add(field text: String) throws(LoadError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else {
            throw .usage("--header: `\(text)` has no colon; write it like 'X-API-Key: secret'")
        }
        let field = Field(name: String(parts[0]), value: parts[1].trimmed)
        try Self.check(field.name, "--header")
        guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
            throw .usage("--header: the value of \(field.name) has control characters")
        }
        guard !["content-length", "transfer-encoding", "connection", "host"].contains(field.name.lowercased()) else {
            throw .usage("--header: \(field.name) is set by weir-bench itself")
        }
        fields.append(field)
    }

    package static func check(_ name: String, _ option: String) throws(LoadError) {
        guard !name.isEmpty, name.utf8.allSatisfy(isToken) else {
            throw .usage("\(option): `\(name)` is not the name of a field")
        }
    }

    private static func isToken(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }

    /// Reads `GET`, `GET,POST` or `GET=9,POST=1`.
    private static func weighted<Value>(
        _ text: String, _ option: String, _ value: (String) -> Value?
    ) throws(LoadError) -> [(Value, Double)] {
        var result: [(Value, Double)] = []
        for entry in text.split(separator: ",", omittingEmptySubsequences: false) {
            let words = entry.split(separator: "=", omittingEmptySubsequences: false)
            guard let first = words.first, words.count <= 2, let value = value(first.trimmed),
                let weight = words.count == 2 ? Double(words[1].trimmed) : 1, weight > 0, weight.isFinite
            else {
                throw .usage(
                    "\(option): `\(entry)` is not understood; write one value, or several with weights: A=9,B=1")
            }
            result.append((value, weight))
        }
        return result
    }
}

extension StringProtocol {
    /// Without blanks at both ends.
    var trimmed: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text = text.dropFirst() }
        while text.last == " " || text.last == "\t" { text = text.dropLast() }
        return String(text)
    }
}
