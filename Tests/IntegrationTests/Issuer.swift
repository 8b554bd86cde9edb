import Foundation
import NIOHTTP1
import TestSupport

/// A login service that signs tokens.
struct Issuer: Sendable {
    var signer = Signer.es256()
    let name: String
    let audience: String

    /// `claims` are members of a JSON object, beside those that every token has.
    func token(_ claims: String) throws -> String {
        let expiry = Int(Date().timeIntervalSince1970) + 3600
        return try signer.token(#"{"iss":"\#(name)","aud":"\#(audience)","exp":\#(expiry),\#(claims)}"#)
    }

    func bearer(_ claims: String) throws -> HTTPHeaders { ["Authorization": "Bearer \(try token(claims))"] }
}
