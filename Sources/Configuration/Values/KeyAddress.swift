import Foundation
import LimiterCore

/// Where an issuer publishes its keys.
enum KeyAddress {
    /// https, or http on loopback, where nobody is between.
    static func check(_ text: String) throws(ConfigurationError) -> String {
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }), let parts = URLComponents(string: text),
            let host = parts.host, !host.isEmpty, parts.fragment == nil
        else { throw ConfigurationError("`\(text)` is not a URL; write it like https://issuer.example/jwks.json") }
        guard parts.user == nil, parts.password == nil else {
            throw ConfigurationError("the URL of the keys has a user or a password in it, which is not sent; remove it")
        }
        if parts.scheme == "https" { return text }
        let name = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
        guard parts.scheme == "http", ListenAddress(host: name, port: 0).isLoopback else {
            throw ConfigurationError(
                "`\(text)` is not an https URL; who can change the keys on their way can be any tenant")
        }
        return text
    }
}
