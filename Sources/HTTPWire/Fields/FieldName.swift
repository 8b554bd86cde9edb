/// A field name from the configuration, made ready to be compared with those of heads.
package struct FieldName: Hashable, Sendable {
    /// In lower case.
    package let bytes: [UInt8]
    package let known: KnownField

    /// nil where the name is empty or not a token.
    package init?(_ name: some Collection<UInt8>) {
        guard !name.isEmpty, name.allSatisfy({ ByteClass.table[Int($0)] & ByteClass.token != 0 }) else { return nil }
        let bytes = name.map(ByteClass.lowercased)
        self.bytes = bytes
        known = bytes.withUnsafeBufferPointer { KnownFieldTable.shared.lookup($0.baseAddress!, $0.count) }
    }

    package init?(_ name: String) { self.init(name.utf8) }

    /// `anyUnderscore`: an underscore in the head's name may stand for a hyphen.
    func matches(_ name: UnsafePointer<UInt8>, _ length: Int, anyUnderscore: Bool) -> Bool {
        guard length == bytes.count else { return false }
        for offset in 0..<length {
            let byte = ByteClass.lowercased(name[offset])
            guard
                byte == bytes[offset]
                    || (anyUnderscore && byte == UInt8(ascii: "_") && bytes[offset] == UInt8(ascii: "-"))
            else { return false }
        }
        return true
    }
}
