import HTTPWire
import NIOCore
import Properties
import TestSupport
import Testing

/// The same bytes to this module and to NIO's decoder: what is accepted here, NIO must frame alike. NIO may accept more.
@Suite struct DifferentialTests {
    static let shards = 4
    static let mutationsOfRequests = 100_000
    static let mutationsOfResponses = 24_000

    @Test(arguments: MessageCorpus.requests)
    func requestsAreFramedAsNIODoes(text: String) {
        let failure = FramingDifference.ofRequests(Array(text.utf8)).failure
        #expect(failure == nil, "\(failure ?? "")")
    }

    @Test(arguments: MessageCorpus.responses, [Method.get, .head])
    func responsesAreFramedAsNIODoes(text: String, method: HTTPWire.Method) {
        let failure = FramingDifference.ofResponses(Array(text.utf8), answering: method).failure
        #expect(failure == nil, "\(failure ?? "")")
    }

    @Test(arguments: 0..<shards)
    func mutatedRequestsAreFramedAsNIODoes(shard: Int) throws {
        let seed = SeededGenerator.seed(for: "mutated requests, shard \(shard)")
        var mutator = Mutator(MessageCorpus.requests, seed: seed &+ UInt64(shard))
        let rounds = Mutator.rounds(usual: Self.mutationsOfRequests) / Self.shards
        var accepted = 0
        for round in 0..<rounds {
            let outcome = FramingDifference.ofRequests(mutator.next())
            accepted += outcome.accepted
            try #require(
                outcome.failure == nil, "seed \(seed), shard \(shard), round \(round): \(outcome.failure ?? "")")
        }
        #expect(accepted > rounds / 10, "the mutations are so coarse that they test little")
    }

    @Test(arguments: 0..<shards)
    func mutatedResponsesAreFramedAsNIODoes(shard: Int) throws {
        let seed = SeededGenerator.seed(for: "mutated responses, shard \(shard)")
        var mutator = Mutator(MessageCorpus.responses, seed: seed &+ UInt64(shard))
        let rounds = Mutator.rounds(usual: Self.mutationsOfResponses) / Self.shards
        var accepted = 0
        for round in 0..<rounds {
            let method: HTTPWire.Method = round % 4 == 0 ? .head : .get
            let outcome = FramingDifference.ofResponses(
                mutator.next(), answering: method)
            accepted += outcome.accepted
            try #require(
                outcome.failure == nil, "seed \(seed), shard \(shard), round \(round): \(outcome.failure ?? "")")
        }
        #expect(accepted > rounds / 10, "the mutations are so coarse that they test little")
    }

    @Test(arguments: MessageCorpus.requests)
    func whatIsForwardedInChunksHoldsTheSameBody(text: String) {
        let bytes = Array(text.utf8)
        let payload = Observation.ofRequests(bytes)
        for feeding in Feeding.allCases {
            let framing = Observation.ofRequests(bytes, feeding, chunks: .framing)
            #expect(framing.error == payload.error)
            for (chunks, plain) in zip(framing.messages, payload.messages) where plain.isComplete {
                guard plain.fields.contains(where: { $0.lowercased() == "transfer-encoding: chunked" }) else {
                    continue
                }
                let text = String(decoding: chunks.body, as: UTF8.self)
                let decoded = try? ChunkedDecoderTests.decode(text, yielding: .payload)
                #expect(decoded?.text == String(decoding: plain.body, as: UTF8.self))
                #expect(decoded?.isAtEnd == true)
                #expect(decoded?.rest.isEmpty == true)
            }
        }
    }
}
