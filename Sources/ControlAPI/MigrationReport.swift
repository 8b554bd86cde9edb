import Telemetry

/// `GET /v1/migrations`: how far services have moved to second versions, and what these answered.
enum MigrationReport {
    static func json(_ statuses: [MigrationMetrics.Status]) -> JSON {
        ["services": .array(statuses.map { json($0) })]
    }

    private static func json(_ status: MigrationMetrics.Status) -> JSON {
        .object([
            .init("service", .string(status.service)), .init("shift", status.shift.map { json($0) } ?? .null),
            .init("mirror", status.mirror.map { json($0) } ?? .null),
        ])
    }

    private static func json(_ shift: MigrationMetrics.Shift) -> JSON {
        [
            "to": .string(shift.service), "share": .number(Double(shift.share) / 10_000),
            "scheduled_share": .number(Double(shift.scheduledShare) / 10_000), "returned": .bool(shift.isReturned),
            "first": shift.first.map { json($0) } ?? .null, "second": shift.second.map { json($0) } ?? .null,
        ]
    }

    private static func json(_ counts: MigrationMetrics.Shift.Counts) -> JSON {
        ["requests": .integer(Int64(counts.requests)), "failures": .integer(Int64(counts.failures))]
    }

    private static func json(_ mirror: MigrationMetrics.Mirror) -> JSON {
        let report = mirror.report
        let statuses = report.statuses.sorted { $0.value > $1.value }.map { pair, count -> JSON in
            ["first": status(pair[0]), "second": status(pair[1]), "requests": .integer(Int64(count))]
        }
        return [
            "to": .string(mirror.service), "share": .number(Double(mirror.share) / 10_000),
            "compared": .integer(Int64(report.compared)), "same": .integer(Int64(report.same)),
            "unanswered": .integer(Int64(report.unanswered)), "left_out": .integer(Int64(report.leftOut)),
            "first_ms": quantiles(report.firstDurations), "second_ms": quantiles(report.secondDurations),
            "statuses": .array(statuses), "differences": .array(report.differences.reversed().map { json($0) }),
        ]
    }

    private static func quantiles(_ durations: DurationSketch) -> JSON {
        func value(_ fraction: Double) -> JSON { durations.quantile(fraction).map { milliseconds($0) } ?? .null }
        return ["p50": value(0.5), "p95": value(0.95), "p99": value(0.99)]
    }

    private static func json(_ difference: MirrorFigures.Difference) -> JSON {
        [
            "at": Moment.json(difference.epochMicroseconds), "request_id": .string(difference.requestID),
            "method": .string(difference.method), "path": .string(difference.path),
            "first": status(difference.first.status), "second": status(difference.second.status),
            "first_ms": milliseconds(difference.first.nanoseconds),
            "second_ms": milliseconds(difference.second.nanoseconds),
        ]
    }

    private static func status(_ status: Int) -> JSON { status > 0 ? .integer(Int64(status)) : .null }

    private static func milliseconds(_ nanoseconds: Int64) -> JSON { .number(Double(nanoseconds / 1000) / 1000) }
}
