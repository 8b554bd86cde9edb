import Hummingbird
import HummingbirdTesting
import Testing
import WeirConfiguration

@testable import ControlAPI

@Suite struct ControlServerTests {
    @Test func listensOnAFreePortAndStops() async throws {
        let fixture = try ControlFixture()
        let address = try await fixture.server.start()
        #expect(address.host == "127.0.0.1" && address.port > 0)
        try await TestClient.withClient(host: "127.0.0.1", port: address.port) { client in
            let answer = try await client.get("/healthz")
            #expect(answer.status == .ok)
        }
        await fixture.server.shutdown()
    }

    @Test func aPortThatIsTakenIsSaidSo() async throws {
        let first = try ControlFixture()
        let address = try await first.server.start()
        let second = try ControlFixture(listen: address)
        await #expect {
            _ = try await second.server.start()
        } throws: { error in
            (error as? ControlError)?.code == .cannotListen
                && "\(error)".contains("cannot listen on \(address): another process listens there")
        }
        await second.server.shutdown()
        await first.server.shutdown()
    }
}
