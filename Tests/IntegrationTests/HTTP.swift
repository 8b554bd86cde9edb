import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Requests to servers on loopback, each bounded in time: what hangs, fails.
enum HTTP {
    struct Response: Sendable {
        let status: Int
        let body: String
        let fields: HTTPHeaders
    }

    static func get(_ port: Int, _ path: String, tenant: String? = nil) async throws -> Response {
        try await send(.GET, port, path, tenant: tenant)
    }

    static func send(
        _ method: HTTPMethod, _ port: Int, _ path: String, tenant: String? = nil, token: String? = nil,
        body: String? = nil
    ) async throws -> Response {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let tenant { request.headers.add(name: "X-Tenant", value: tenant) }
        if let body {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body))
        }
        let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 1 << 22)
        return Response(status: Int(response.status.code), body: String(buffer: bytes), fields: response.headers)
    }

    /// As it is given, with these fields and no others that matter; redirects are answers.
    static func ask(
        _ port: Int, _ path: String, _ method: HTTPMethod = .GET, _ fields: HTTPHeaders = [:], body: String? = nil
    ) async throws -> Response {
        var request = HTTPClientRequest(url: "http://127.0.0.1:\(port)\(path)")
        request.method = method
        request.headers = fields
        if let body { request.body = .bytes(ByteBuffer(string: body)) }
        let response = try await plain.execute(request, timeout: .seconds(10))
        let bytes = try await response.body.collect(upTo: 1 << 22)
        return Response(status: Int(response.status.code), body: String(buffer: bytes), fields: response.headers)
    }

    private static let plain = HTTPClient(
        eventLoopGroup: HTTPClient.defaultEventLoopGroup,
        configuration: HTTPClient.Configuration(redirectConfiguration: .disallow))
}
