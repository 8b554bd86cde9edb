import Foundation
import Testing

@testable import weir

@Suite struct BudgetTableTests {
    private func table(_ json: String) throws -> String {
        BudgetTable(try JSONDecoder().decode(Budget.self, from: Data(json.utf8))).text
    }

    @Test func columnsAreAlignedAndNumbersStandRight() throws {
        let text = try table(
            """
            {"tenant":"acme","degraded":false,"limits":[
            {"name":"global","service":null,"algorithm":"sliding_window","limit":100,"window_seconds":60,"used":9,"remaining":91,
            "reset_after_seconds":119.5},
            {"name":"payment","service":"payment","route":"/pay","algorithm":"token_bucket","limit":1000000,"window_seconds":86400,
            "used":0,"remaining":1000000,"reset_after_seconds":0}]}
            """)
        #expect(
            text == """
                tenant acme
                LIMIT    WHERE         ALGORITHM       USED       OF     LEFT   WINDOW  FULL AGAIN
                global   all           sliding_window     9      100       91     60 s  in 119.5 s
                payment  payment /pay  token_bucket       0  1000000  1000000  86400 s  now
                """)
    }

    /// A counter whose key depends on the request.
    @Test func whatIsNotKnownIsADash() throws {
        let text = try table(
            """
            {"tenant":"acme","degraded":false,"limits":[
            {"name":"ip","service":"api","algorithm":"sliding_window","limit":5,"window_seconds":1,"used":null,"remaining":null,
            "reset_after_seconds":null}]}
            """)
        #expect(
            text == """
                tenant acme
                LIMIT  WHERE  ALGORITHM       USED  OF  LEFT  WINDOW  FULL AGAIN
                ip     api    sliding_window     -   5     -     1 s  -
                """)
    }

    @Test func aDegradedBudgetSaysSo() throws {
        let text = try table(#"{"tenant":"ü","degraded":true,"limits":[]}"#)
        #expect(
            text == """
                tenant ü
                LIMIT  WHERE  ALGORITHM  USED  OF  LEFT  WINDOW  FULL AGAIN
                degraded: Redis did not decide; these are this replica's own numbers
                """)
    }

    @Test func wholeSecondsHaveNoFraction() throws {
        let text = try table(
            """
            {"tenant":"t","degraded":false,"limits":[{"name":"n","service":null,"algorithm":"token_bucket","limit":1,
            "window_seconds":3600,"used":1,"remaining":0,"reset_after_seconds":3600}]}
            """)
        #expect(text.hasSuffix("in 3600 s"))
    }
}
