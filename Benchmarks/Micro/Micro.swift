import Benchmark
import Cases

/// Times every case, for people to read: `WEIR_BENCHMARKS=1 swift package benchmark`.
let benchmarks: @Sendable () -> Void = {
    for item in Case.all {
        Benchmark(
            item.name,
            configuration: .init(metrics: [.wallClock, .throughput], scalingFactor: .kilo, maxDuration: .seconds(2))
        ) { benchmark, exercise in
            exercise.run(calls: benchmark.scaledIterations.count)
        } setup: {
            try item.begin()
        }
    }
}
