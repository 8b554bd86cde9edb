/// All that a run has left behind; `Report` is made from it.
package struct RunResult: Sendable {
    let plan: LoadPlan
    /// Of tenants and probes.
    let names: [String]
    let recorder: Recorder
    let probeObservations: [Observation]
    let probeFindings: RetryProbe.Findings?
    /// Nanoseconds from 1970 to the start.
    let epoch: Int64
    /// Nanoseconds until everything had come back.
    let elapsed: Int64
    let processNanoseconds: Int64
    let threads: [ThreadUsage]
    let stopReason: String?
    let marks: [ChaosMark]
}
