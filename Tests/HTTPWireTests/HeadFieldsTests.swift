import HTTPWire
import NIOCore
import Properties
import Testing

@Suite struct HeadFieldsTests {
    @Test(arguments: KnownField.allCases.filter { $0 != .other })
    func everyKnownFieldIsFoundInAnyCase(known: KnownField) throws {
        let lowercase = "\(known.name)"
        for name in [lowercase, lowercase.uppercased()] {
            #expect(FieldName(name)?.known == known)
        }
        #expect(FieldName(lowercase + "x")?.known == .other)
        #expect(FieldName("x" + lowercase.dropFirst(2))?.known == .other)
    }

    @Test func lookupsSkipWhatIsRemoved() throws {
        var head = try parseRequest(
            "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1\r\nX-Plan: gold\r\nx-forwarded-for: 2\r\nX-PLAN: tin\r\n\r\n"
        )
        let plan = try #require(FieldName("x-plan"))
        #expect(head.fields.firstIndex(of: .xForwardedFor) == 1)
        #expect(head.fields.firstIndex(of: .xForwardedFor, from: 2) == 3)
        #expect(head.fields.firstIndex(named: plan) == 2)
        #expect(head.fields.firstIndex(named: plan, from: 3) == 4)
        #expect(head.fields.withValue(at: 2) { $0.equalsLowercase("gold") })
        #expect(head.fields.withValue(of: .host) { $0.equalsLowercase("a") } == true)
        #expect(head.fields.withName(at: 2) { String(decoding: $0, as: UTF8.self) } == "X-Plan")
        head.fields.remove(at: 1)
        #expect(head.fields.firstIndex(of: .xForwardedFor) == 3)
        head.fields.remove(.xForwardedFor)
        #expect(head.fields.contains(.xForwardedFor) == false)
        #expect(head.fields.firstIndex(of: .xForwardedFor) == nil)
        head.fields.remove(named: plan)
        #expect(head.fields.firstIndex(named: plan) == nil)
    }

    @Test func someFieldsAreRemovedOrWithheldAtOnce() throws {
        var head = try parseRequest(
            "GET / HTTP/1.1\r\nHost: a\r\nVia: 1\r\nX-Real-IP: 2\r\nVia: 3\r\nCookie: 4\r\nOther: 5\r\n\r\n")
        head.fields.withhold([.cookie, .authorization])
        #expect((0..<6).map { head.fields[$0].isWithheld } == [false, false, false, false, true, false])
        #expect(head.fields.contains(.cookie) == true, "it is found all the same")
        head.fields.remove([.via, .xRealIP, .forwarded])
        #expect((0..<6).map { head.fields[$0].isRemoved } == [false, true, true, true, false, false])
        for known in [.via, .xRealIP] as [KnownField] { #expect(head.fields.contains(known) == false) }
        head.fields.remove([])
        for known in [.host, .cookie] as [KnownField] { #expect(head.fields.contains(known) == true) }
    }

    @Test func namesWithUnderscoresAreRemovedWithTheFieldTheyImitate() throws {
        var head = try parseRequest(
            "GET / HTTP/1.1\r\nHost: a\r\nX_Weir_Tenant: evil\r\ncontent_length: 5\r\nX-Forwarded_For: 1\r\nX_Plan: x\r\n"
                + "my_field: y\r\n\r\n")
        #expect((0..<6).map { head.fields[$0].isRemoved } == [false, true, true, true, false, false])
        #expect(head.framing == .none)
        head.fields.remove(named: try #require(FieldName("X-Plan")))
        #expect(head.fields[4].isRemoved)
    }

    @Test func fieldsForOneHopAreRemoved() throws {
        let head = try parseRequest(
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, X-Hop,TE, Upgrade\r\nKeep-Alive: 5\r\nTE: trailers\r\n"
                + "Upgrade: h2c\r\nx-hop: 1\r\nX-Hops: 2\r\nProxy-Authorization: z\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        let removed = (0..<head.fields.count).map { head.fields[$0].isRemoved }
        #expect(removed == [false, true, true, true, true, true, false, true, false])
        #expect(head.fields.contains(.transferEncoding) == true)
    }

    @Test func aFieldNameIsAToken() {
        #expect(FieldName("") == nil)
        #expect(FieldName("a b") == nil)
        #expect(FieldName("a:") == nil)
        #expect(FieldName("X-Tenant") == FieldName("x-tenant"))
    }

    @Test func entriesAreSmall() {
        #expect(MemoryLayout<Field>.stride <= 20)
        #expect(MemoryLayout<MessageEvent>.size <= 24)
    }
}
