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
}
