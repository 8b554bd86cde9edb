extension HeadFields {
    /// The first field of that name as it was received, whatever was removed since; nil where there is none.
    package func withReceivedValue<Result>(
        named name: FieldName, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result? {
        for index in 0..<count {
            let field = self[index]
            guard field.name.count == name.bytes.count,
                withName(
                    at: index,
                    { received in
                        name.bytes.withUnsafeBytes { received.equalsIgnoringCase($0) }
                    })
            else { continue }
            return withValue(at: index, body)
        }
        return nil
    }
}
