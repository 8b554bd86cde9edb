import AsyncHTTPClient
import ControlAPI
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks the control API of a running Weir.
struct ControlClient {
    let url: String
    let token: String?

    private static let maximumAnswerBytes = 4 * 1024 * 1024
    private static let patience = TimeAmount.seconds(10)

    enum Method {
        case get
        case post(JSON)
        case put(JSON)
        case delete
    }

    /// The answer's body. `parts` continue the path, and they and the query may hold anything; what is nil of the query is left out.
    func ask(
        _ path: String, _ parts: [String], query: [(name: String, value: String?)] = [], _ method: Method = .get
    ) async throws(CommandError) -> String {
        let items = query.compactMap { name, value in value.map { "\(name)=\(Self.encoded($0))" } }
        let target = ([path] + parts.map(Self.encoded)).joined(separator: "/")
        return try await send(method, items.isEmpty ? target : "\(target)?\(items.joined(separator: "&"))")
    }

    private static func encoded(_ text: String) -> String {
        var unreserved = CharacterSet.alphanumerics
        unreserved.insert(charactersIn: "-._~")
        return text.addingPercentEncoding(withAllowedCharacters: unreserved) ?? text
    }

    private func send(_ method: Method, _ target: String) async throws(CommandError) -> String {
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        var request = HTTPClientRequest(url: base + target)
        switch method {
        case .get: request.method = .GET
        case .delete: request.method = .DELETE
        case .post(let body):
            request.method = .POST
            request.body = .bytes(ByteBuffer(string: body.text))
        case .put(let body):
            request.method = .PUT
            request.body = .bytes(ByteBuffer(string: body.text))
        }
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let status: UInt
        let body: String
        do {
            (status, body) = try await Self.send(request)
        } catch let error as HTTPClientError where error == .invalidURL || error == .emptyScheme || error == .emptyHost
        {
            throw CommandError(.usage, "`\(url)` is not a URL; write it like http://127.0.0.1:8081")
        } catch {
            throw CommandError(
                .failed,
                "nothing answers at \(url) (\(Self.reason(error))); is Weir running, with its control API there?",
                isUnreachable: true)
        }
        switch status {
        case 200: return body
        case 401: throw CommandError(.failed, "\(url) wants its token; give it with --token, or --config of that Weir")
        default:
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(body.utf8))
            throw CommandError(.failed, "\(url) answered \(status)\(problem.map { ": \($0.detail)" } ?? "")")
        }
    }

    /// Says at once when nobody listens: who asks by hand tries again by hand.
    private static func send(_ request: HTTPClientRequest) async throws -> (status: UInt, body: String) {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        do {
            let response = try await client.execute(request, timeout: patience)
            let body = String(buffer: try await response.body.collect(upTo: maximumAnswerBytes))
            try await client.shutdown()
            return (response.status.code, body)
        } catch {
            try? await client.shutdown()
            throw error
        }
    }

    private static func reason(_ error: any Error) -> String {
        let cause = (error as? NIOConnectionError)?.connectionErrors.first?.error ?? error
        return (cause as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(cause)"
    }

    private struct Problem: Decodable { let detail: String }
}
