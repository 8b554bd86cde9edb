/// Which bytes may stand where, one table for all of them.
enum ByteClass {
    static let token: UInt8 = 1
    /// `pchar`, `/` and `%` of RFC 3986: what a path is made of.
    static let path: UInt8 = 2
    /// RFC 3986's query, and what browsers leave as it is in one: all visible bytes but `"`, `#`, `<` and `>`.
    static let query: UInt8 = 4
    /// Letters, digits, `-`, `.`, `_` and `~`.
    static let unreserved: UInt8 = 8
    static let hex: UInt8 = 16
    /// In a path: what can make it other than canonical (`%`, `.`, `/`, `;`).
    static let suspectInPath: UInt8 = 32
    static let digit: UInt8 = 64
    static let underscore: UInt8 = 128

    // Written once, by the initializer below, and never freed. Loops take it to a local: each access asks whether it is
    // initialized.
    nonisolated(unsafe) static let table: UnsafePointer<UInt8> = {
        let table = UnsafeMutablePointer<UInt8>.allocate(capacity: 256)
        table.initialize(repeating: 0, count: 256)
        func mark(_ bytes: some Sequence<UInt8>, _ classes: UInt8) {
            for byte in bytes { table[Int(byte)] |= classes }
        }
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        mark(UInt8(ascii: "a")...UInt8(ascii: "z"), token | path | unreserved)
        mark(UInt8(ascii: "A")...UInt8(ascii: "Z"), token | path | unreserved)
        mark(digits, token | path | unreserved | hex | digit)
        mark(UInt8(ascii: "a")...UInt8(ascii: "f"), hex)
        mark(UInt8(ascii: "A")...UInt8(ascii: "F"), hex)
        mark("-._~".utf8, path | unreserved)
        mark("!#$%&'*+-.^_`|~".utf8, token)
        mark("!$&'()*+,;=:@/%".utf8, path)
        mark("%./;".utf8, suspectInPath)
        mark("_".utf8, underscore)
        mark(0x21...0x7e, query)
        for byte in "\"#<>".utf8 { table[Int(byte)] &= ~query }
        return UnsafePointer(table)
    }()

    @inline(__always)
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte &- UInt8(ascii: "A") < 26 ? byte | 0x20 : byte
    }

    /// The value of a hexadecimal digit; nil for any other byte.
    @inline(__always)
    static func hexValue(_ byte: UInt8) -> UInt8? {
        let digit = byte &- UInt8(ascii: "0")
        if digit < 10 { return digit }
        let letter = (byte | 0x20) &- UInt8(ascii: "a")
        return letter < 6 ? letter + 10 : nil
    }
}

extension UInt8 {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0a
    static let carriageReturn: UInt8 = 0x0d
    static let space: UInt8 = 0x20
}
