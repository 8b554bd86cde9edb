import Foundation

/// Certificates of an authority that the test makes with openssl, gone with this.
package final class Certificates: Sendable {
    /// Paths of PEM files.
    package struct Pair: Sendable {
        package let certificate: String
        package let key: String
    }

    private let directory: URL

    /// `localhost` and 127.0.0.1 are the names that `server` has; `elsewhere` has another one.
    package init() throws {
        directory = FileManager.default.temporaryDirectory.appendingPathComponent("weir-tls-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        let script = """
            set -e
            cd '\(directory.path)'
            for name in ca other; do
                openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.pem \
                    -days 2 -subj /CN=$name
            done
            make() {
                openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $1.key -out $1.csr -subj /CN=$1
                printf 'subjectAltName=%s' "$2" > $1.names
                openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days 2 -extfile $1.names -out $1.pem
            }
            make server DNS:localhost,IP:127.0.0.1 ca
            make elsewhere DNS:redis.example ca
            make client DNS:weir ca
            make stranger DNS:weir other
            """
        _ = try ServerProcess.output(["sh", "-c", script], mayFail: false)
    }

    deinit { try? FileManager.default.removeItem(at: directory) }

    private func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    private func pair(_ name: String) -> Pair { Pair(certificate: path("\(name).pem"), key: path("\(name).key")) }

    /// What signed all pairs but `stranger`.
    package var authority: String { path("ca.pem") }
    package var otherAuthority: String { path("other.pem") }
    package var server: Pair { pair("server") }
    package var elsewhere: Pair { pair("elsewhere") }
    package var client: Pair { pair("client") }
    package var stranger: Pair { pair("stranger") }
}
