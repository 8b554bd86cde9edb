/// What is changed in requests on their way to upstreams, and in upstreams' answers on their way back.
package struct Transformation: Equatable, Sendable {
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
package struct NamedChanges: Equatable, Sendable {
    package var remove: [String] = []
    /// All at once, so that two can be exchanged.
    package var rename: [(from: String, to: String)] = []
    /// Instead of all of that name.
    package var set: [NamedTemplate] = []
    package var add: [NamedTemplate] = []

    package init() {}

    package static func == (a: NamedChanges, b: NamedChanges) -> Bool {
        a.remove == b.remove && a.set == b.set && a.add == b.add
            && a.rename.map(\.from) == b.rename.map(\.from) && a.rename.map(\.to) == b.rename.map(\.to)
    }

    package var isEmpty: Bool { remove.isEmpty && rename.isEmpty && set.isEmpty && add.isEmpty }
}

package struct NamedTemplate: Hashable, Sendable {
    package var name: String
    package var value: Template

    package init(name: String, value: Template) {
        self.name = name
        self.value = value
    }
}
