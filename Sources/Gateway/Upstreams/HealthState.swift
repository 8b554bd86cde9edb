import NIOCore
import WeirConfiguration

/// What the checks of one endpoint have shown: healthy until enough of them failed in a row, unhealthy until enough went well.
struct HealthState {
    private(set) var isHealthy = true
    /// Checks in a row that say otherwise.
    private var contrary = 0

    /// Returns what it is from now on, where this check changes that.
    mutating func checked(isGood: Bool, _ rules: BalancingSettings.Health) -> Bool? {
        guard isGood != isHealthy else {
            contrary = 0
            return nil
        }
        contrary += 1
        guard contrary >= (isHealthy ? rules.unhealthyAfter : rules.healthyAfter) else { return nil }
        contrary = 0
        isHealthy.toggle()
        return isHealthy
    }
}
