import ArgumentParser
import LoadTester

/// What is done to Redis meanwhile.
struct ChaosOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Start a Redis of the run's own on this port of this machine, for gateways to use; it ends with the run.",
            valueName: "port"))
    var redisPort: Int?

    @Option(
        name: .customLong("redis-fault"),
        help: ArgumentHelp(
            """
            stop, pause, slow or flush that Redis: pause@5s,2s is from 5 s of the run for 2 s; without times, after a third of the \
            run for a sixth of it. Repeat it for more. failover@5s kills it for good: it has a replica then, and three sentinels, \
            through which the gateways find it.
            """, valueName: "fault"))
    var faults: [String] = []

    @Option(
        name: .customLong("launch"),
        help: ArgumentHelp(
            """
            Start a gateway with this command before the run, and end it afterwards; {redis} becomes the URL of --redis-port's \
            Redis. Repeat it for each replica.
            """, valueName: "command"))
    var commands: [String] = []

    @Option(help: ArgumentHelp("How long to wait until every target takes connections.", valueName: "time"))
    var waitFor: String?

    func makeFaults(runLength: Int64) throws(LoadError) -> [Fault] {
        guard faults.isEmpty || redisPort != nil else {
            throw LoadError(.usage, "--redis-fault needs --redis-port: only a Redis that this run started is harmed")
        }
        if let redisPort, !(1...65_535).contains(redisPort) {
            throw LoadError(.usage, "--redis-port must be between 1 and 65535")
        }
        guard redisPort != nil || !commands.contains(where: { $0.contains("{redis}") }) else {
            throw LoadError(.usage, "--launch has {redis}, so --redis-port is needed")
        }
        return try Fault.ordered(
            try faults.map { text throws(LoadError) in try Fault(parsing: text, runLength: runLength) })
    }
}
