import Testing
import WeirConfiguration

@testable import Discovery

struct SourceStateTests {
    private let settings: DNSSettings = {
        var settings = DNSSettings()
        settings.minimumTTL = .seconds(2)
        settings.maximumTTL = .seconds(60)
        return settings
    }()

    private func endpoints(_ addresses: String...) -> [Endpoint] {
        addresses.map { Endpoint(Upstream(usesTLS: false, host: "orders", port: 80, address: $0)) }
    }

    @Test func whatIsFoundIsPublishedOnceWhateverItsOrder() {
        var state = SourceState(settings)
        let first = state.looked(.found(endpoints("10.0.0.2", "10.0.0.1"), timeToLive: .seconds(5)))
        #expect(first.publish == endpoints("10.0.0.1", "10.0.0.2"))
        #expect(first.log == .changed(from: 0, to: 2))
        let again = state.looked(.found(endpoints("10.0.0.1", "10.0.0.2"), timeToLive: .seconds(5)))
        #expect(again == SourceState.Steps(publish: nil, log: nil, next: .seconds(5)))
        let fewer = state.looked(.found(endpoints("10.0.0.2"), timeToLive: .seconds(5)))
        #expect(fewer.publish == endpoints("10.0.0.2"))
        #expect(fewer.log == .changed(from: 2, to: 1))
    }

    @Test(arguments: [(0, 2), (1, 2), (2, 2), (30, 30), (60, 60), (86_400, 60)])
    func theTimeToLiveIsKeptWithinItsBounds(seconds: Int, expected: Int) {
        var state = SourceState(settings)
        let steps = state.looked(.found(endpoints("10.0.0.1"), timeToLive: .seconds(seconds)))
        #expect(steps.next == .seconds(expected))
    }

    @Test func troubleKeepsWhatWasFoundAndIsToldOnce() {
        var state = SourceState(settings)
        _ = state.looked(.found(endpoints("10.0.0.1"), timeToLive: .seconds(5)))
        let trouble = state.looked(.trouble("away"))
        #expect(trouble == SourceState.Steps(publish: nil, log: .troubled("away", kept: 1), next: .seconds(2)))
        #expect(state.looked(.trouble("away")).log == nil)
        #expect(state.looked(.trouble("gone")).log == .troubled("gone", kept: 1))
        #expect(state.endpoints == endpoints("10.0.0.1"))
        let back = state.looked(.found(endpoints("10.0.0.1"), timeToLive: .seconds(5)))
        #expect(back == SourceState.Steps(publish: nil, log: .recovered(1), next: .seconds(5)))
    }

    @Test func looksInTroubleAreTwiceAsFarApartEachTimeUpToHalfAMinute() {
        var state = SourceState(settings)
        let delays = (0..<7).map { _ in state.looked(.trouble("away")).next }
        #expect(delays == [2, 4, 8, 16, 30, 30, 30].map { .seconds($0) })
        _ = state.looked(.found([], timeToLive: .seconds(5)))
        #expect(state.looked(.trouble("away")).next == .seconds(2))
    }

    @Test func anEmptySourceIsTakenAtItsWord() {
        var state = SourceState(settings)
        _ = state.looked(.found(endpoints("10.0.0.1"), timeToLive: nil))
        let steps = state.looked(.found([], timeToLive: nil))
        #expect(steps == SourceState.Steps(publish: [], log: .changed(from: 1, to: 0), next: nil))
    }
}
