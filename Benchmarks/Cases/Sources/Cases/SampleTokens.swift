/// Tokens as issuers make them, with the keys that check them: made for this, and used nowhere else.
enum SampleTokens {
    struct Sample: Sendable {
        let keys: String
        let token: String
    }

    /// A moment at which they are valid, in milliseconds since 1970.
    static let now: Int64 = 1_800_000_000_000

    static let es256 = Sample(
        keys: #"""
            {"keys":[{"crv":"P-256","kid":"1","kty":"EC","x":"pjqVHTHfT-BSHoTA-wM5wDXp-lCthWk0ZKK1wDhTHS4","y":"\#
            fWCuN3Zd04mSnrEEl9dTAQVV0UO53jUh4WgFvtFMxLg"}]}
            """#,
        token: """
            eyJhbGciOiJFUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkI\
            joid2VpciIsImV4cCI6NDEwMjQ0NDgwMCwiaWF0IjoxNzAwMDAwMDAwLCJqdGkiOiI4ZjE0ZTQ1Zi1jZWVhLTQ2N2YtYTBlNi0xY\
            zJkM2I0YTU5NjgiLCJzdWIiOiJ1c2VyLTgxNzM0IiwidGVuYW50IjoiYWNtZSIsInNjb3BlIjoib3JkZXJzOnJlYWQgb3JkZXJzO\
            ndyaXRlIn0.F34P9dhbG7U2YSSAhKuPv2P1bX6WNV5pP7V-vgtERUE4m4FJdVQLsgczO-FpNTjXczI2jpdsRNKQwOh2xFVACg
            """)

    static let rs256 = Sample(
        keys: #"""
            {"keys":[{"e":"AQAB","kid":"1","kty":"RSA","n":"t-ftXawFwdE1SrCNMhfIDtB_0Vrxdfj6xNBChemVltbKl_qC36y4\#
            AHMzzTvUagcxzFLob3d5OnM5R38O6ScyP-wWRvzZf3uWEts-mEnvjOsccquT6Us8QAndHuBnhJaa-iEz1a9BIvgpX2bDJ1FRDvuU\#
            to-plu1b604Wtg--jHCiuuN0D4dE5d0twtH72UANfXJqwyIJhFoVwOzXeIi21w226j_c8x4wQ7_Pls1HTlnyDYDp_BxNtdY0hOYW\#
            rat75sLuO37DVyOcbltkTvSExBbqH_Y3-pBa3XUrCQzuMIYy7TSt7JfJIJc7jWqpjF524fe6_heOkFheA8KNsr5tqw"}]}
            """#,
        token: """
            eyJhbGciOiJSUzI1NiIsImtpZCI6IjEiLCJ0eXAiOiJKV1QifQ.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIiwiYXVkI\
            joid2VpciIsImV4cCI6NDEwMjQ0NDgwMCwiaWF0IjoxNzAwMDAwMDAwLCJqdGkiOiI4ZjE0ZTQ1Zi1jZWVhLTQ2N2YtYTBlNi0xY\
            zJkM2I0YTU5NjgiLCJzdWIiOiJ1c2VyLTgxNzM0IiwidGVuYW50IjoiYWNtZSIsInNjb3BlIjoib3JkZXJzOnJlYWQgb3JkZXJzO\
            ndyaXRlIn0.WK7mnVuZPE9WZX02aTsaIKDfjs4QB6x--bdUURbybYXJsaPW0aGWvt3DORo1EDL8nWZIpm8Vwn4CPynnW1mC61oPw\
            v0FgHsMRYMu2oYZtxFrlxrbX2UODHVDWkfWsjRzmR2BXPbpuCEtSI7Vdmet4FgYNomqqAfgFyF6koONosjz83Yi7Hvs-y1UNLlw0\
            wOtsbD7fVJTFUCwJ-3kzvfoWFBG0NFTxHKCUVAVpfehEcAa9LfiyUWDauY97PNm9HVdPB6fC9pm3bZad0l3ytaIaPC5yFwetpL-L\
            TD3S2sspUcxfw-Nd8dxFcDsYiHamekMG4kUS-dKY5-n-qFTtQbQEw
            """)
}
