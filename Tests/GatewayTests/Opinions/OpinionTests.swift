import TestSupport
import Testing

/// Hostile bytes to a gateway, and to nginx and haproxy, whose opinions count where they are installed: nothing passes the gateway that
/// they would understand as something else.
@Suite(.serialized) struct OpinionTests {
    private static let mutations = 3_000

    @Test func whatIsHostileIsRefusedAndWhatIsPassedIsUnderstoodAlike() async throws {
        try await Panel.run { panel in
            let messages = HostileMessage.all
            var opinions = try await panel.opinions(on: messages.map(\.bytes))
            // A busy machine may make somebody impatient once.
            let doubtful = messages.indices.filter { !messages[$0].faults(in: opinions[$0]).isEmpty }
            let again = try await panel.opinions(on: doubtful.map { messages[$0].bytes })
            for (index, opinion) in zip(doubtful, again) { opinions[index] = opinion }
            for (message, opinion) in zip(messages, opinions) {
                for fault in message.faults(in: opinion) {
                    Issue.record("\(message.name): \(fault)\n\(opinion.table)")
                }
            }
            for text in try await panel.misread(opinions) { Issue.record("\(text)") }
            #expect(panel.strangers.isEmpty)
        }
    }

    @Test func whatPassesOfMutatedRequestsIsUnderstoodAlike() async throws {
        let seed = SeededGenerator.seed(for: "mutated requests to three proxies")
        var mutator = Mutator(MessageCorpus.requests, seed: seed)
        let messages = (0..<Mutator.rounds(usual: Self.mutations)).map { _ in mutator.next() }
        try await Panel.run { panel in
            let opinions = try await panel.opinions(on: messages)
            #expect(
                opinions.count { !$0.weir.readings.isEmpty } > messages.count / 10,
                "the mutations are so coarse that they test little")
            for danger in try await panel.dangers(in: opinions) {
                Issue.record("seed \(seed): \(danger.danger ?? "")\n\(danger.table)")
            }
            for text in try await panel.misread(opinions) { Issue.record("seed \(seed): \(text)") }
            #expect(panel.strangers.isEmpty, "seed \(seed)")
        }
    }
}
