import Foundation
import Properties

/// Looked for once, as libFuzzer's call carries nothing but the input.
private let property: Property = {
    let name = ProcessInfo.processInfo.environment["WEIR_FUZZ_TARGET"] ?? ""
    guard let property = Property.all.first(where: { $0.name == name }) else {
        fatalError("WEIR_FUZZ_TARGET is one of \(Property.all.map(\.name).joined(separator: ", "))")
    }
    return property
}()

/// What libFuzzer, whose `main` this program has, calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ length: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: length))
    if let fault = property.fault(input) { fatalError("\(property.name): \(fault)") }
    return 0
}
