import HTTPTypes
import Hummingbird
import NIOCore

/// Why the control plane cannot do what it was asked: a stable code and one sentence for people.
package struct ControlError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        case cannotListen = "cannot_listen"
        case invalidRequest = "invalid_request"
        case unauthorized
        case forbidden
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case tooLarge = "too_large"
        case conflict
        case notApplicable = "not_applicable"
        case failed
        case notBuilt = "not_built"
        case unavailable
    }

    package let code: Code
    package let message: String
    /// The methods that would do, where the method is at fault.
    let allowedMethods: [String]

    init(_ code: Code, _ message: String, allowedMethods: [String] = []) {
        self.code = code
        self.message = message
        self.allowedMethods = allowedMethods
    }

    package var description: String { message }

    var status: HTTPResponse.Status {
        switch code {
        case .invalidRequest: .badRequest
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .tooLarge: .contentTooLarge
        case .conflict: .conflict
        case .notApplicable: .unprocessableContent
        case .cannotListen, .failed: .internalServerError
        case .notBuilt: .notImplemented
        case .unavailable: .serviceUnavailable
        }
    }
}

extension ControlError {
    /// RFC 9457.
    var response: Response {
        let problem: JSON = [
            "type": "about:blank", "title": .string(status.reasonPhrase), "status": .integer(Int64(status.code)),
            "detail": .string(message), "code": .string(code.rawValue),
        ]
        var response = Response.json(problem, status: status, type: "application/problem+json")
        if code == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"weir\"" }
        if !allowedMethods.isEmpty { response.headers[.allow] = allowedMethods.joined(separator: ", ") }
        return response
    }
}

extension Response {
    static func json(
        _ value: JSON, status: HTTPResponse.Status = .ok, type: String = "application/json"
    ) -> Response {
        text(value.text + "\n", type: type, status: status)
    }

    static func text(_ text: String, type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status, headers: [.contentType: type, .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
}
