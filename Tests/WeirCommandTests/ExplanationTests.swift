import ControlAPI
import Foundation
import Testing

@testable import weir

@Suite struct ExplanationTests {
    private func text(_ json: String, method: String = "GET") throws -> String {
        Explanation(try #require(JSON(parsing: Data(json.utf8))), method: method).text
    }

    private static let report = """
        {"tenant":"acme","plan":"pro","limits":[
        {"name":"flood","service":null,"route":null,"per":["client_ip"],"algorithm":"sliding_window","mode":"local","cost":1,
        "guard":true,"rate":"200/second","source":"global","replaces":[]},
        {"name":"payment","service":"payment","route":"/pay","per":["tenant","method"],"algorithm":"token_bucket",
        "mode":"exact","cost":{"POST":5,"other":1},"rate":"5/minute","burst":2,"source":"override",
        "expires_at":"2027-01-01T00:00:00Z",
        "replaces":[{"rate":"60/minute","burst":30,"source":"plan","plan":"pro"},{"rate":"10/minute","source":"service"}]}]}
        """

    @Test func eachLimitSaysItsValueWhoGivesItAndWhatItComesBefore() throws {
        #expect(
            try text(Self.report, method: "POST") == """
                tenant acme, plan pro
                SERVICE  ROUTE  LIMIT          PER            ALGORITHM       VALUE              COST  FROM                                 INSTEAD OF
                any      any    flood (guard)  client_ip      sliding_window  200/second         1     global                               -
                payment  /pay   payment        tenant+method  token_bucket    5/minute, burst 2  5     override until 2027-01-01T00:00:00Z  60/minute, burst 30 (plan pro), 10/minute (service)
                """)
    }

    @Test func aCostGoesByTheMethod() throws {
        #expect(try text(Self.report).contains("5/minute, burst 2  1     override"))
    }

    @Test func aTenantWithoutAPlanAndWithoutLimitsSaysSo() throws {
        #expect(
            try text(#"{"tenant":"x","plan":null,"limits":[]}"#) == "tenant x, no plan\nno limits apply")
    }

    @Test func anAnswerToAChangeIsASentence() throws {
        func text(_ json: String) throws -> String {
            try JSONDecoder().decode(OverrideAnswer.self, from: Data(json.utf8)).text
        }
        let value =
            #"{"limit":"pay","service":"shop","rate":"5/minute","burst":2,"expires_at":"2027-01-01T00:00:00Z","set_at":"2026-01-01T00:00:00Z"}"#
        #expect(
            try text(#"{"tenant":"acme","kept_in":"redis","override":\#(value),"replaces":\#(value)}"#)
                == "pay of acme for shop: 5/minute, burst 2, instead of the override 5/minute, burst 2, until 2027-01-01T00:00:00Z"
        )
        #expect(
            try text(#"{"tenant":"acme","kept_in":"memory","removed":\#(value)}"#)
                == "pay of acme for shop: the override 5/minute, burst 2 is removed")
    }
}
