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
    /// For a whole fetch.
    private let patience: Duration
    private let client: HTTPClient

    init(patience: Duration = .seconds(10)) {
        self.patience = patience
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow, timeout: .init(connect: .seconds(5), read: .seconds(5)))
        configuration.httpVersion = .automatic
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    func shutdown() async { try? await client.shutdown() }

    /// The set, and for how long the answer says that it is fresh, in nanoseconds.
    func fetch(_ url: String) async throws(KeyFetchError) -> (keys: KeySet, maxAge: Int64?) {
        // The client bounds the time between two pieces of a body, and not that of all.
        let result = await withTaskGroup(of: Result<(keys: KeySet, maxAge: Int64?), KeyFetchError>?.self) { group in
            group.addTask {
                do throws(KeyFetchError) { return .success(try await self.load(url)) } catch { return .failure(error) }
            }
            group.addTask { [patience] in
                try? await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        guard let result else { throw KeyFetchError(message: "the answer took longer than \(patience)") }
        return try result.get()
    }

    private func load(_ url: String) async throws(KeyFetchError) -> (keys: KeySet, maxAge: Int64?) {
        var request = HTTPClientRequest(url: url)
        request.headers.add(name: "Accept", value: "application/jwk-set+json, application/json")
        request.headers.add(name: "User-Agent", value: "weir")
        let (status, headers, body): (UInt, HTTPHeaders, ByteBuffer)
        do {
            let response = try await client.execute(request, timeout: TimeAmount(patience))
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
