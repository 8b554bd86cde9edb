import HTTPWire
import NIOCore
import Testing

@Suite struct ByteCursorTests {
    @Test(arguments: [0, 7, 10, 99, 1_000_000, Int64.max, -5, Int64.min])
    func decimalsAreWrittenAsSwiftDoes(number: Int64) {
        var buffer = ByteBuffer()
        buffer.append(atMost: 20) { $0.write(decimal: number) }
        #expect(String(buffer: buffer) == "\(number)")
    }

    @Test(
        arguments: [0, 9, 10, 0xf, 0x10, 0x9a, 0x0123_4567_89ab_cdef, 0xfedc_ba98_7654_3210, UInt64.max], [16, 8, 2])
    func hexadecimalsHaveSoManyDigitsFromTheEnd(number: UInt64, digits: Int) {
        var buffer = ByteBuffer()
        buffer.append(atMost: digits) { $0.write(hexadecimal: number, digits: digits) }
        let whole = String(number, radix: 16)
        #expect(String(buffer: buffer) == (String(repeating: "0", count: 16 - whole.count) + whole).suffix(digits))
    }
}
