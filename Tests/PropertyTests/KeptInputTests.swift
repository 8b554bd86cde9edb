import Foundation
import Properties
import TestSupport
import Testing

/// Inputs that a fuzzer found worth keeping, without the fuzzer.
@Suite struct KeptInputTests {
    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Corpus")

    private static func inputs(of property: Property) throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: corpus.appending(path: property.name), includingPropertiesForKeys: nil)
    }

    @Test(arguments: Property.all)
    func everyKeptInputKeepsItsProperty(property: Property) throws {
        let inputs = try Self.inputs(of: property)
        #expect(inputs.count >= 10, "a corpus that small holds next to nothing")
        for input in inputs {
            let fault = property.fault([UInt8](try Data(contentsOf: input)))
            #expect(fault == nil, "\(input.lastPathComponent): \(fault ?? "")")
        }
    }

    @Test func everyFolderOfInputsHasAProperty() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.corpus.path)
        #expect(Set(folders) == Set(Property.all.map(\.name)))
    }

    /// Few mutations, as a fuzzer that is led by coverage does this better; they hold where there is none.
    @Test(arguments: Property.all)
    func mutatedInputsKeepTheProperty(property: Property) throws {
        let kept = try Self.inputs(of: property).map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
        let seed = SeededGenerator.seed(for: "mutated inputs of \(property.name)")
        var mutator = Mutator(kept, seed: seed)
        for round in 0..<Mutator.rounds(usual: 1_000) {
            let fault = property.fault(mutator.next())
            try #require(fault == nil, "seed \(seed), round \(round): \(fault ?? "")")
        }
    }
}
