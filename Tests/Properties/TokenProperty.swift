import Tokens

/// Whatever is taken for a token is one in one spelling only, and whatever is taken for a key set has keys that can check something.
enum TokenProperty {
    static func fault(_ bytes: [UInt8]) -> String? { faultOfToken(bytes) ?? faultOfKeys(bytes) }

    private static func faultOfToken(_ bytes: [UInt8]) -> String? {
        guard let token = bytes.withUnsafeBytes({ try? Token(parsing: $0) }) else { return nil }
        guard bytes.count <= Token.longest else { return "a token of \(bytes.count) bytes is taken" }
        // Each of its parts has one spelling: what stands for less than a byte in the end is zero, and nothing is padded.
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, parts.allSatisfy(isCanonical) else { return "\(bytes.quoted) is taken for a token" }
        if let id = token.keyID, id.count > bytes.count { return "\(bytes.quoted) has a longer key id" }
        return nil
    }

    private static func isCanonical(_ part: ArraySlice<UInt8>) -> Bool {
        let values = part.compactMap { byte -> UInt8? in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "-"): 62
            case UInt8(ascii: "_"): 63
            default: nil
            }
        }
        guard values.count == part.count, let last = values.last else { return false }
        return switch part.count % 4 {
        case 0: true
        case 2: last & 15 == 0
        case 3: last & 3 == 0
        default: false
        }
    }

    private static func faultOfKeys(_ bytes: [UInt8]) -> String? {
        guard let keys = try? KeySet.read(bytes) else { return nil }
        return keys.algorithms.isEmpty || keys.keys.count > KeySet.mostKeys
            ? "\(bytes.quoted) is taken for a key set" : nil
    }
}
