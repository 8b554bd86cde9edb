import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import WeirConfiguration

struct BudgetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "budget", abstract: "Show what a tenant has left, asking a running Weir.")

    @OptionGroup var file: ConfigurationOptions

    @Argument(help: "The tenant.")
    var tenant: String

    @Option(help: ArgumentHelp("A control API; default: the configuration's.", valueName: "url"))
    var url: String?

    @Option(help: ArgumentHelp("The control API's token; default: the configuration's.", valueName: "token"))
    var token: String?

    @Flag(help: "Print the answer as JSON.")
    var json = false

    private static let maximumAnswerBytes = 4 * 1024 * 1024

    func run() async throws {
        let (url, token) = try target()
        let answer = try await Self.ask(url, tenant: tenant, token: token)
        if json {
            Terminal.print(answer.trimmingCharacters(in: .whitespacesAndNewlines))
        } else {
            guard let budget = try? JSONDecoder().decode(Budget.self, from: Data(answer.utf8)) else {
                throw CommandError(.failed, "\(url) answers, but not as Weir does; is it the control API?")
            }
            Terminal.print(BudgetTable(budget).text)
        }
    }

    /// The configuration is needed only for what the command line does not say.
    private func target() throws(CommandError) -> (url: String, token: String?) {
        if let url, token != nil || !FileManager.default.fileExists(atPath: file.config) { return (url, token) }
        let control = try file.load().control
        return (url ?? "http://\(control.listen.reachable)", token ?? control.token)
    }

    private static func ask(_ url: String, tenant: String, token: String?) async throws(CommandError) -> String {
        var unreserved = CharacterSet.alphanumerics
        unreserved.insert(charactersIn: "-._~")
        let path = tenant.addingPercentEncoding(withAllowedCharacters: unreserved) ?? tenant
        let base = url.hasSuffix("/") ? String(url.dropLast()) : url
        var request = HTTPClientRequest(url: "\(base)/v1/tenants/\(path)/budget")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        let status: UInt
        let body: String
        do {
            let response = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            status = response.status.code
            body = String(buffer: try await response.body.collect(upTo: maximumAnswerBytes))
        } catch let error as HTTPClientError where error == .invalidURL || error == .emptyScheme || error == .emptyHost
        {
            throw CommandError(.usage, "`\(url)` is not a URL; write it like http://127.0.0.1:8081")
        } catch {
            let reason = (error as? IOError).map { String(cString: strerror($0.errnoCode)) } ?? "\(error)"
            throw CommandError(
                .failed, "nothing answers at \(url) (\(reason)); is Weir running, with its control API there?")
        }
        switch status {
        case 200: return body
        case 401: throw CommandError(.failed, "\(url) wants its token; give it with --token, or --config of that Weir")
        default:
            let problem = try? JSONDecoder().decode(Problem.self, from: Data(body.utf8))
            throw CommandError(.failed, "\(url) answered \(status)\(problem.map { ": \($0.detail)" } ?? "")")
        }
    }

    private struct Problem: Decodable { let detail: String }
}

extension ListenAddress {
    /// Where this machine finds a listener that takes connections on any address.
    fileprivate var reachable: ListenAddress {
        switch host {
        case "0.0.0.0": ListenAddress(host: "127.0.0.1", port: port)
        case "::": ListenAddress(host: "::1", port: port)
        default: self
        }
    }
}
