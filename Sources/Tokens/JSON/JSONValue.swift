/// A JSON value as tokens and key sets have it. Strings are valid UTF-8.
package indirect enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string([UInt8])
    case array([JSONValue])
    case object([JSONMember])

    package var string: [UInt8]? { if case .string(let bytes) = self { bytes } else { nil } }
    package var array: [JSONValue]? { if case .array(let list) = self { list } else { nil } }
    package var object: [JSONMember]? { if case .object(let members) = self { members } else { nil } }

    /// The strings of an array that has nothing else.
    package var strings: [[UInt8]]? {
        guard case .array(let list) = self else { return nil }
        var strings: [[UInt8]] = []
        for value in list {
            guard case .string(let bytes) = value else { return nil }
            strings.append(bytes)
        }
        return strings
    }
}

package struct JSONMember: Hashable, Sendable {
    package let name: [UInt8]
    package let value: JSONValue
}

extension [JSONMember] {
    /// Names are there once: the reader has seen to that.
    package subscript(name: StaticString) -> JSONValue? {
        first {
            $0.name.count == name.utf8CodeUnitCount
                && $0.name.elementsEqual(UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount))
        }?.value
    }
}

/// A number without floating point: what of it can be said exactly.
package struct JSONNumber: Hashable, Sendable {
    /// Where it is written as a whole number, without fraction or exponent, and fits.
    package let integer: Int64?
    /// Its thousandths, rounded towards zero; nil where they pass 10^18.
    package let thousandths: Int64?

    /// The parts of a number that JSON's grammar allows: digits as ASCII, the exponent as it is written.
    init(isNegative: Bool, whole: ArraySlice<UInt8>, fraction: ArraySlice<UInt8>, exponent: Int?) {
        integer = fraction.isEmpty && exponent == nil ? Self.value(whole, isNegative: isNegative) : nil
        thousandths = Self.thousandths(whole + fraction, power: (exponent ?? 0) - fraction.count + 3)
            .map { isNegative ? -$0 : $0 }
    }

    private static func value(_ digits: ArraySlice<UInt8>, isNegative: Bool) -> Int64? {
        var value: Int64 = 0
        for digit in digits {
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let step = Int64(digit - UInt8(ascii: "0"))
            let (sum, carry) =
                isNegative
                ? tenfold.subtractingReportingOverflow(step) : tenfold.addingReportingOverflow(step)
            guard !overflow, !carry else { return nil }
            value = sum
        }
        return value
    }

    /// `digits` times ten to the `power`.
    private static func thousandths(_ digits: ArraySlice<UInt8>, power: Int) -> Int64? {
        let bound: Int64 = 1_000_000_000_000_000_000
        let digits = digits.drop { $0 == UInt8(ascii: "0") }
        guard !digits.isEmpty else { return 0 }
        // Where the first digit that counts stands, before the point or behind it.
        guard digits.count + power <= 19 else { return nil }
        guard digits.count + power > 0 else { return 0 }
        var value: Int64 = 0
        for place in 0..<(digits.count + power) {
            let digit = place < digits.count ? digits[digits.startIndex + place] - UInt8(ascii: "0") : 0
            let (tenfold, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = tenfold.addingReportingOverflow(Int64(digit))
            guard !overflow, !carry, sum <= bound else { return nil }
            value = sum
        }
        return value
    }
}
