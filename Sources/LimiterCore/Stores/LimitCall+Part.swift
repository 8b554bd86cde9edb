extension LimitCall {
    /// The question of these of its limits alone, for a store that asks for them apart.
    ///
    /// The keys of the whole must be made. Nobody is told of the part's answer but the store.
    package func part(of indices: [Int]) -> LimitCall {
        var others = LimitGroup.Selection()
        for index in group.limits.indices where !indices.contains(index) { others.insert(index) }
        let part = LimitCall()
        part.begin(as: group.part(without: others), of: self, others)
        part.whole = nil
        return part
    }
}
