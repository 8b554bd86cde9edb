import LimiterCore
import WeirConfiguration

/// A configuration is read, or refused with faults that have a place and a sentence, the same each time.
enum ConfigurationProperty {
    static func fault(_ bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let (first, second) = (outcome(text), outcome(text))
        guard first == second else { return "it is read as\n\(first)\nand as\n\(second)" }
        return first.hasPrefix("refused: ") && first.contains("\nweir.yaml:0")
            ? "a fault without a line: \(first)" : nil
    }

    private static func outcome(_ text: String) -> String {
        do throws(ConfigurationErrors) {
            let configuration = try Configuration.parse(text, file: "weir.yaml")
            return """
                read: \(configuration.gateway) \(configuration.control) \(String(describing: configuration.store)) \
                \(configuration.services) \(configuration.limits.labels)
                """
        } catch {
            guard !error.errors.isEmpty, error.errors.allSatisfy({ !$0.message.isEmpty }) else { return "no fault" }
            return "refused: \n\(error)"
        }
    }
}
