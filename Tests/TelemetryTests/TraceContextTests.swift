import TestSupport
import Testing

@testable import Telemetry

@Suite struct TraceContextTests {
    private static let sample = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    private func parse(_ text: String) -> TraceContext? { parse(Array(text.utf8)) }

    private func parse(_ bytes: [UInt8]) -> TraceContext? { bytes.withUnsafeBytes { TraceContext(parsing: $0) } }

    @Test func theSpecificationsExampleIsRead() throws {
        let context = try #require(parse(Self.sample))
        #expect(context.trace == TraceID(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736))
        #expect(context.span == 0x00f0_67aa_0ba9_02b7)
        #expect(context.isSampled)
    }

    @Test(arguments: [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", UInt8(0)),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", 3),
        // Bits that nobody knows are not passed on.
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", 3),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", 1),
        ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes-later", 1),
    ])
    func flagsAreThoseThatAreKnown(text: String, flags: UInt8) {
        #expect(parse(text)?.flags == flags)
    }

    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
        "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00F067AA0BA902B7-01",
        "0g-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bz-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-x1",
        "00_4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7_01",
        " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ])
    func whatIsNotWellFormedIsIgnored(text: String) {
        #expect(parse(text) == nil)
    }

    @Test func whatIsReadOfMutationsIsWhatStandsThere() {
        var random = SeededGenerator()
        for _ in 0..<20_000 {
            var bytes = Array(Self.sample.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[Int.random(in: bytes.indices, using: &random)] = .random(in: 0...255, using: &random)
                case 1 where bytes.count > 1: bytes.remove(at: Int.random(in: bytes.indices, using: &random))
                default:
                    bytes.insert(
                        "0123456789abcdefF-g".utf8.randomElement(using: &random)!,
                        at: Int.random(in: 0...bytes.count, using: &random))
                }
            }
            guard let context = parse(bytes) else { continue }
            // Read the way of a regular expression, and written again.
            let text = String(decoding: bytes, as: UTF8.self)
            #expect(text.prefixMatch(of: /[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-.*)?/) != nil, "\(text)")
            var written: [UInt8] = []
            context.trace.append(to: &written)
            written.append(UInt8(ascii: "-"))
            Hexadecimal.append(context.span, to: &written)
            #expect(Array(bytes[3..<52]) == written, "\(text)")
            #expect(bytes.count == TraceContext.length || bytes[0...1] != [0x30, 0x30], "\(text)")
        }
    }

    @Test(arguments: [
        ("rojo=00f067aa0ba902b7,congo=t61rcWkgMzE", 2), ("a=1", 1), ("", 0), (" , ,", 0), ("a=1 , b=2", 2),
        ("fw529a3039@dt=FfAAAA", 1), ("a=", 1),
    ])
    func membersOfAStateAreCounted(text: String, members: Int) {
        #expect(Array(text.utf8).withUnsafeBytes { TraceState.members(in: $0) } == members)
    }

    @Test(arguments: ["a", "=1", "A=1", "a=1=2", "a=\u{7F}", "a=é", "a b=1"])
    func aStateThatIsNoneIsFound(text: String) {
        #expect(Array(text.utf8).withUnsafeBytes { TraceState.members(in: $0) } == nil)
    }

    @Test func idsDifferAndAreNeverZero() {
        var ids = IDGenerator()
        var traces: Set<TraceID> = []
        var spans: Set<UInt64> = []
        for _ in 0..<10_000 {
            let (trace, span) = (ids.trace(), ids.span())
            #expect(trace.low != 0 && span != 0)
            traces.insert(trace)
            spans.insert(span)
        }
        #expect(traces.count == 10_000 && spans.count == 10_000)
        var other = IDGenerator()
        #expect(!traces.contains(other.trace()))
    }
}

@Suite struct SamplerTests {
    @Test func theShareIsThatOfManyIds() {
        var random = SeededGenerator()
        for share in [0.01, 0.1, 0.5] {
            let sampler = Sampler(share: share)
            let ids = 100_000
            let taken = (0..<ids).count { _ in
                // Ids of callers need not be spread: here only their middle changes.
                sampler.takes(TraceID(high: 7, low: UInt64(UInt32.random(in: 0 ... .max, using: &random)) << 16).hash)
            }
            // Five standard deviations.
            let expected = Double(ids) * share
            #expect(abs(Double(taken) - expected) < 5 * (expected * (1 - share)).squareRoot(), "\(share): \(taken)")
        }
    }

    @Test func allAndNothingAreExact() {
        for hash in [0, 1, .max / 2, .max] as [UInt64] {
            #expect(Sampler(share: 1).takes(hash))
            #expect(!Sampler(share: 0).takes(hash))
        }
        #expect(!Sampler(share: 1).isNeeded && Sampler(share: 0.999).isNeeded)
    }

    @Test func theHashIsTheSameInEveryProcess() {
        let hash = Array("4bf92f3577b34da6-1".utf8).withUnsafeBytes { Sampler.hash($0) }
        // FNV-1a and the finalizer of MurmurHash3, reckoned with another program.
        #expect(hash == 0x13c341dc4ee62275)
    }
}
