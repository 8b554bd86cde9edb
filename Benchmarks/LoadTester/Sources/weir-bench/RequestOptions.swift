import ArgumentParser
import Foundation
import LoadTester

/// What is sent, and for whom.
struct RequestOptions: ParsableArguments {
    @Option(
        name: .shortAndLong, help: ArgumentHelp("Method, or several with weights: GET=9,POST=1.", valueName: "methods"))
    var method = "GET"

    @Option(
        name: [.customShort("H"), .customLong("header")],
        help: ArgumentHelp(
            "A field, like 'X-API-Key: demo-{tenant}'. {tenant} is replaced, here and in the path. Repeat it for more.",
            valueName: "field"))
    var headers: [String] = []

    @Option(name: .shortAndLong, help: ArgumentHelp("The body of each request, or @FILE.", valueName: "text"))
    var body: String?

    @Option(
        help: ArgumentHelp(
            "Whose requests they are: acme, or acme,globex, or uniform:100, zipf:1000:1.1, or file:tenants.txt (a name and, if any, a weight a line).",
            valueName: "tenants"))
    var tenants: String?

    @Option(
        help: ArgumentHelp(
            "What uniform and zipf call their tenants; {n} counts, {run} differs from run to run, so that counters are unused.",
            valueName: "pattern"))
    var tenantName = "tenant-{n}"

    @Option(
        help: ArgumentHelp(
            "The field that names the tenant; none: no such field, only {tenant} in --header.", valueName: "name"))
    var tenantHeader = "X-Tenant"

    @Option(help: ArgumentHelp("What a request costs, or several with weights: 1=90,10=10.", valueName: "costs"))
    var cost = "1"

    @Option(help: ArgumentHelp("The field that says the cost.", valueName: "name"))
    var costHeader: String?

    @Flag(help: "HTTP/2, without asking (prior knowledge) on http:// and by ALPN on https://.")
    var http2 = false

    @Option(help: ArgumentHelp("HTTP/2: requests at a time on each connection.", valueName: "count"))
    var streams = 10

    @Flag(help: "Accept any certificate.")
    var insecure = false

    func makeRequests() throws(LoadError) -> Requests {
        var requests = try Requests(methods: method, costs: cost)
        for header in headers { try requests.add(field: header) }
        if tenantHeader == "none" {
            requests.tenantField = nil
        } else {
            try Requests.check(tenantHeader, "--tenant-header")
            requests.tenantField = tenantHeader
        }
        if let costHeader { try Requests.check(costHeader, "--cost-header") }
        requests.costField = costHeader
        if let body {
            if body.hasPrefix("@") {
                let path = String(body.dropFirst())
                guard let data = FileManager.default.contents(atPath: path) else {
                    throw LoadError(.usage, "--body: \(path) cannot be read")
                }
                requests.body = Array(data)
            } else {
                requests.body = Array(body.utf8)
            }
        }
        return requests
    }

    func makeTenants(run: String) throws(LoadError) -> Tenants {
        guard let tenants else { return .anonymous }
        return try Tenants(parsing: tenants, pattern: tenantName, run: run) { path in
            guard let data = FileManager.default.contents(atPath: path) else {
                throw LoadError(.usage, "there is no such file, or it may not be read")
            }
            return String(decoding: data, as: UTF8.self)
        }
    }
}
