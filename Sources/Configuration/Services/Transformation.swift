/// What is changed in requests on their way to upstreams, and in upstreams' answers on their way back.
package struct Transformation: Hashable, Sendable {
    package enum Host: Hashable, Sendable {
        /// The one that the request has.
        case preserve
        /// The upstream's own address.
        case upstream
        case name(String)
    }

    package var request = NamedChanges()
    package var query = NamedChanges()
    /// nil: as the level above has it.
    package var host: Host?
    package var response = NamedChanges()

    package init() {}
}

/// Changes of fields or of a query's parameters, made in this order: remove, rename, set, add.
package struct NamedChanges: Hashable, Sendable {
    package var remove: [String] = []
    /// All at once, so that two can be exchanged.
    package var rename: [Rename] = []
    /// Instead of all of that name.
    package var set: [NamedTemplate] = []
    package var add: [NamedTemplate] = []

    package init() {}

    package var isEmpty: Bool { remove.isEmpty && rename.isEmpty && set.isEmpty && add.isEmpty }
}

package struct Rename: Hashable, Sendable {
    package var from: String
    package var to: String

    package init(from: String, to: String) {
        self.from = from
        self.to = to
    }
}

package struct NamedTemplate: Hashable, Sendable {
    package var name: String
    package var value: Template

    package init(name: String, value: Template) {
        self.name = name
        self.value = value
    }
}
