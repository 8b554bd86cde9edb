/// What must hold for every input, whatever its bytes are.
package struct Property: Sendable, CustomStringConvertible {
    /// The name of its folder of inputs, and what `scripts/fuzz` calls it.
    package let name: String
    /// What the input breaks, for people; nil: nothing.
    package let fault: @Sendable ([UInt8]) -> String?

    package init(_ name: String, fault: @escaping @Sendable ([UInt8]) -> String?) {
        self.name = name
        self.fault = fault
    }

    package var description: String { name }

    /// A further one needs a line here and a folder of inputs.
    package static let all: [Property] = [
        Property("requests", fault: RequestProperty.fault),
        Property("responses", fault: ResponseProperty.fault),
        Property("chunks", fault: ChunkProperty.fault),
        Property("paths", fault: PathProperty.fault),
        Property("configuration", fault: ConfigurationProperty.fault),
        Property("tokens", fault: TokenProperty.fault),
    ]
}

extension [UInt8] {
    /// For people.
    var quoted: String { String(decoding: self, as: UTF8.self).debugDescription }
}
