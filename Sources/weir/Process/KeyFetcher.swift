import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import Tokens

/// Why keys could not be fetched.
struct KeyFetchError: Error {
    let message: String
}

/// Fetches key sets over HTTP. Redirections are not followed: the address was checked, and where it leads to was not.
final class KeyFetcher: Sendable {
    private static let timeout = TimeAmount.seconds(10)

    private let client: HTTPClient

    init() {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(5)))
        configuration.httpVersion = .automatic
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async { try? await client.shutdown() }

    /// The set, and for how long the answer says that it is fresh, in nanoseconds.
    func fetch(_ url: String) async throws(KeyFetchError) -> (keys: KeySet, maxAge: Int64?) {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/jwk-set+json, application/json")
        request.headers.add(name: "User-Agent", value: "weir")
        let (status, headers, body): (UInt, HTTPHeaders, ByteBuffer)
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            status = response.status.code
            headers = response.headers
            body = status == 200 ? try await response.body.collect(upTo: KeySet.mostBytes) : ByteBuffer()
        } catch is NIOTooManyBytesError {
            throw KeyFetchError(message: "the answer is over 1 MiB")
        } catch {
            throw KeyFetchError(message: "\(error)")
        }
        guard status == 200 else { throw KeyFetchError(message: "the answer's status is \(status)") }
        do throws(KeySetError) {
            return (try KeySet.read(Array(body.readableBytesView)), Self.maxAge(headers))
        } catch {
            throw KeyFetchError(message: error.message)
        }
    }

    private static func maxAge(_ headers: HTTPHeaders) -> Int64? {
        for directive in headers[canonicalForm: "Cache-Control"] {
            let parts = directive.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, parts[0].lowercased() == "max-age", let seconds = Int64(parts[1]), seconds >= 0
            else {
                continue
            }
            return min(seconds, 1_000_000) * 1_000_000_000
        }
        return nil
    }
}
