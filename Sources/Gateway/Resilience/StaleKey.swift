import HTTPWire
import WeirConfiguration

/// What an answer is kept under: everything by which the answers to two requests may differ.
enum StaleKey {
    /// Parts end in a byte that none of them can have.
    ///
    /// Unless answers are shared, the tenant and the credentials of its users are among the parts; `credentials` are the fields that
    /// hold some, beside those that always do.
    static func make(
        of head: borrowing RequestHead, path: borrowing CanonicalPath, route: String, tenant: [UInt8],
        credentials: [FieldName], _ stale: ResiliencePlan.Stale
    ) -> [UInt8] {
        var key: [UInt8] = []
        key.reserveCapacity(128)
        if !stale.rules.isShared { key += tenant }
        key.append(0)
        // Two routes may have one path, and make different things of it.
        key += route.utf8
        key.append(0)
        head.fields.withValue(of: .host) { key.append(contentsOf: $0.map { lowercased($0) }) }
        key.append(0)
        path.withBytes(of: head) { key.append(contentsOf: $0) }
        head.fields.withBytes(head.query) { key.append(contentsOf: $0) }
        key.append(0)
        if !stale.rules.isShared {
            for known in [.authorization, .cookie] as [KnownField] {
                var next = head.fields.firstIndex(of: known)
                while let index = next {
                    append(head.fields, index, to: &key)
                    next = head.fields.firstIndex(of: known, from: index + 1)
                }
                key.append(0)
            }
        }
        for name in stale.rules.isShared ? stale.vary : credentials + stale.vary {
            var next = head.fields.firstIndex(named: name)
            while let index = next {
                append(head.fields, index, to: &key)
                next = head.fields.firstIndex(named: name, from: index + 1)
            }
            key.append(0)
        }
        return key
    }

    /// A line of a field; one line with two values is another thing than two lines.
    private static func append(_ fields: borrowing HeadFields, _ index: Int, to key: inout [UInt8]) {
        fields.withValue(at: index) { key.append(contentsOf: $0) }
        key.append(UInt8(ascii: "\n"))
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
