import HTTPTypes
import Hummingbird
import HummingbirdCore
import Logging

/// Every refusal leaves as problem+json: the outermost step.
struct ProblemDetails<Context: RequestContext>: RouterMiddleware {
    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            return Self.describe(error, request, context).response
        }
    }

    private static func describe(_ error: any Error, _ request: Request, _ context: Context) -> ControlError {
        if let error = error as? ControlError { return error }
        if let error = error as? any HTTPResponseError, error.status == .notFound {
            let methods = Endpoint.methods(of: request.uri.path)
            if methods.isEmpty {
                return ControlError(.notFound, "there is nothing at \(request.uri.path); GET / lists what there is")
            }
            return ControlError(
                .methodNotAllowed,
                "\(request.uri.path) takes \(methods.joined(separator: ", ")), not \(request.method)",
                allowedMethods: methods)
        }
        context.logger.error("a control request failed", metadata: ["error": "\(error)"])
        return ControlError(.failed, "the request failed inside Weir; its log says why")
    }
}
