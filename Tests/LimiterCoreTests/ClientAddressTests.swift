import LimiterCore
import Testing

@Suite struct ClientAddressTests {
    @Test(arguments: [
        ("10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::1"), ("[::1]", "::1"), ("::", "::"),
        ("::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1::", "1::"),
        ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
    ])
    func anAddressIsReadAndWritten(text: String, canonical: String) {
        #expect(ClientAddress(parsing: text)?.description == canonical)
    }

    @Test(arguments: [
        "", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.-4", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
        "1::2::3",
        "12345::", "g::", "1:2:3:4:5:6:7:", "::1.2.3.4:5", "1.2.3.4 ", "fe80::1%eth0",
    ])
    func whatIsNoAddressIsRefused(text: String) { #expect(ClientAddress(parsing: text) == nil) }

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.1.2.3", "10.1.2.3", true),
        ("10.1.2.3", "10.1.2.4", false), ("2001:db8::/32", "2001:db8:ffff::1", true),
        ("2001:db8::/32", "2001:db9::1", false),
        ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "2001::1", false), ("::/0", "1.2.3.4", true),
        ("2001:db8::/65", "2001:db8:0:0:8000::", false), ("10.0.0.0/8", "::ffff:10.1.1.1", true),
    ])
    func aBlockContainsItsAddresses(block: String, address: String, isInside: Bool) throws {
        let block = try #require(AddressBlock(parsing: block))
        #expect(block.contains(try #require(ClientAddress(parsing: address))) == isInside)
    }

    @Test(arguments: ["10.0.0.0/33", "::/129", "10.0.0.0/", "10.0.0.0/a", "/8", "10.0.0.0/8/8", "10.0.0.0/-1"])
    func whatIsNoBlockIsRefused(text: String) { #expect(AddressBlock(parsing: text) == nil) }

    @Test func ipv6IsCountedByItsPrefixOf64Bits() throws {
        func value(_ text: String) throws -> [UInt8] {
            var bytes: [UInt8] = []
            try #require(ClientAddress(parsing: text)).appendLimitValue(to: &bytes)
            return bytes
        }
        #expect(try value("2001:db8::1") == value("2001:db8::ffff:2"))
        #expect(try value("2001:db8::1") != value("2001:db8:0:1::1"))
        #expect(try value("10.0.0.1") == Array("10.0.0.1".utf8))
    }
}
