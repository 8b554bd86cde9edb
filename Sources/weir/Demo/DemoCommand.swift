import ArgumentParser
import NIOCore
import NIOPosix
import WeirConfiguration

struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Run gateway, control API and stub upstreams in one process, and say what to try.",
        discussion: """
            API keys in X-API-Key: demo-acme (tenant acme) and demo-globex (tenant globex). With --config, the limits and \
            identities of that file; its upstreams are replaced by stubs either way.
            """)

    @Option(help: ArgumentHelp("A configuration file; default: one that is built in.", valueName: "file"))
    var config: String?
    @OptionGroup var options: ListenOptions

    func run() async throws {
        var configuration =
            if let config { try ConfigurationOptions.load(config) } else { try DemoConfiguration.load() }
        try options.apply(to: &configuration)
        let log = options.makeLog(configuration.logging)

        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let stubs = StubUpstreams(group: group)
        for index in configuration.services.indices {
            configuration.services[index].upstreams = [try await stubs.start(name: configuration.services[index].name)]
        }
        let (services, isBuiltIn) = (configuration.services, config == nil)
        try await WeirProcess(configuration, log: log).runUntilStopped { addresses in
            Terminal.print(Self.endpoints(addresses, services))
            if isBuiltIn { Terminal.print(Self.suggestions(addresses)) }
            Terminal.print("\nCtrl-C stops it.")
        }
        try await group.shutdownGracefully()
        Terminal.note("weir: stopped")
    }

    private static func endpoints(_ addresses: WeirProcess.Addresses, _ services: [Service]) -> String {
        let upstreams = services.flatMap { service in service.upstreams.map { "\(service.name) \($0)" } }
        return """
            gateway:   http://\(addresses.gateway)
            control:   http://\(addresses.control)
            counters:  \(addresses.store)
            upstreams: \(upstreams.joined(separator: ", ")) (stubs that answer with the request they saw)
            """
    }

    private static func suggestions(_ addresses: WeirProcess.Addresses) -> String {
        let (gateway, control) = ("http://\(addresses.gateway)", "http://\(addresses.control)")
        return """

            Eleven payments at once; ten pass, the last is refused:
              for i in $(seq 11); do curl -s -o /dev/null -w '%{http_code}\\n' -H 'X-API-Key: demo-acme' \(gateway)/payment; done
            What the refused one is told:
              curl -i -H 'X-API-Key: demo-acme' \(gateway)/payment
            Payment and catalog share acme's 100 a minute; product has 1000 of its own:
              curl -i -H 'X-API-Key: demo-acme' \(gateway)/catalog
            What acme has left, and its budget given back:
              curl -s \(control)/v1/tenants/acme/budget
              curl -s -X POST \(control)/v1/tenants/acme/reset
            Acme's payments changed to 5 a minute, on every replica, and why that is so:
              curl -s -X PUT \(control)/v1/tenants/acme/overrides/payment -d '{"rate": "5/minute"}'
              curl -s '\(control)/v1/tenants/acme/limits?service=payment'
            Three replicas that count together in one Redis, each in a terminal of its own:
              apt-get install -y redis-server
              redis-server --port 6379 &
              scripts/run --redis redis://127.0.0.1:6379 --gateway-port 8080 --control-port 8081
              scripts/run --redis redis://127.0.0.1:6379 --gateway-port 8090 --control-port 8091
              scripts/run --redis redis://127.0.0.1:6379 --gateway-port 8100 --control-port 8101
            """
    }
}
