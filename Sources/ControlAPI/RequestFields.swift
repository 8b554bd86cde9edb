import Foundation
import Hummingbird
import HummingbirdCore
import LimiterCore
import NIOCore

/// The members of a JSON body, taken one by one; what nobody takes is refused by name.
struct RequestFields {
    private var members: [String: JSON] = [:]
    private var known: [String] = []

    static let maximumBodyBytes = 64 * 1024

    /// An empty body is an object without members.
    init(body: RequestBody) async throws(ControlError) {
        let bytes: ByteBuffer
        do {
            bytes = try await body.collect(upTo: Self.maximumBodyBytes)
        } catch is NIOTooManyBytesError {
            throw ControlError(.tooLarge, "the body is over 64 KiB; no question needs as much")
        } catch {
            throw ControlError(.invalidRequest, "the body could not be read to its end")
        }
        try self.init(json: Data(bytes.readableBytesView))
    }

    init(json: Data) throws(ControlError) {
        guard !json.isEmpty else { return }
        guard let value = JSON(parsing: json) else {
            throw ControlError(.invalidRequest, "the body is not JSON; send an object like {\"tenant\": \"acme\"}")
        }
        guard case .object(let list) = value else {
            throw ControlError(.invalidRequest, "the body must be a JSON object, not \(value.kind)")
        }
        for member in list { members[member.name] = member.value }
    }

    /// nil where it is missing or null.
    private mutating func take(_ name: String) -> JSON? {
        known.append(name)
        let value = members.removeValue(forKey: name)
        return value == .null ? nil : value
    }

    mutating func string(_ name: String, maximumBytes: Int) throws(ControlError) -> String? {
        guard let value = take(name) else { return nil }
        guard case .string(let text) = value else {
            throw ControlError(.invalidRequest, "`\(name)` must be a string, not \(value.kind)")
        }
        guard (1...maximumBytes).contains(text.utf8.count) else {
            throw ControlError(
                .invalidRequest, "`\(name)` must have 1 to \(maximumBytes) bytes, not \(text.utf8.count)")
        }
        return text
    }

    mutating func flag(_ name: String) throws(ControlError) -> Bool? {
        guard let value = take(name) else { return nil }
        guard case .bool(let flag) = value else {
            throw ControlError(.invalidRequest, "`\(name)` must be true or false, not \(value.kind)")
        }
        return flag
    }

    mutating func whole(_ name: String, in range: ClosedRange<Int64>) throws(ControlError) -> Int64? {
        guard let value = take(name) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            let found = if case .integer(let number) = value { String(number) } else { value.kind }
            throw ControlError(
                .invalidRequest,
                "`\(name)` must be a whole number from \(range.lowerBound) to \(range.upperBound), not \(found)")
        }
        return number
    }

    /// Microseconds since the epoch.
    mutating func moment(_ name: String) throws(ControlError) -> Int64? {
        guard let value = take(name) else { return nil }
        guard let moment = Moment.microseconds(value) else {
            let found = if case .string(let text) = value { "\"\(text)\"" } else { value.kind }
            throw ControlError(
                .invalidRequest,
                "`\(name)` must be a time like \"2027-01-31T12:00:00Z\" or seconds since 1970, not \(found)")
        }
        return moment
    }

    /// Throws where a member is there that cannot be, with the sentence that says why.
    func refuse(_ name: String, _ sentence: @autoclosure () -> String) throws(ControlError) {
        if members[name] != nil { throw ControlError(.invalidRequest, sentence()) }
    }

    /// Names in lowercase.
    mutating func headers(_ name: String) throws(ControlError) -> [String: String] {
        guard let value = take(name) else { return [:] }
        guard case .object(let list) = value else {
            throw ControlError(
                .invalidRequest, "`\(name)` must be an object of names and strings, not \(value.kind)")
        }
        var headers: [String: String] = [:]
        for member in list {
            guard case .string(let text) = member.value else {
                throw ControlError(
                    .invalidRequest, "`\(member.name)` in `\(name)` must be a string, not \(member.value.kind)")
            }
            headers[member.name.lowercased()] = text
        }
        return headers
    }

    /// Strings, whole numbers and truth values, as the text that limits count by.
    mutating func claims(_ name: String) throws(ControlError) -> [String: String] {
        guard let value = take(name) else { return [:] }
        guard case .object(let list) = value else {
            throw ControlError(
                .invalidRequest, "`\(name)` must be an object of names and values, not \(value.kind)")
        }
        var claims: [String: String] = [:]
        for member in list {
            switch member.value {
            case .string(let text): claims[member.name] = text
            case .integer(let number): claims[member.name] = String(number)
            case .bool(let flag): claims[member.name] = flag ? "true" : "false"
            case .null, .number, .array, .object:
                throw ControlError(
                    .invalidRequest,
                    "`\(member.name)` in `\(name)` must be a string, a whole number, true or false, not \(member.value.kind)"
                )
            }
        }
        return claims
    }

    mutating func address(_ name: String) throws(ControlError) -> ClientAddress? {
        guard let text = try string(name, maximumBytes: 64) else { return nil }
        guard let address = ClientAddress(parsing: text) else {
            throw ControlError(.invalidRequest, "`\(name)` must be an IPv4 or IPv6 address, not \"\(text)\"")
        }
        return address
    }

    /// Throws where something is left that nobody took.
    func finish() throws(ControlError) {
        guard let unknown = members.keys.min() else { return }
        throw ControlError(
            .invalidRequest, "`\(unknown)` is not known here; known are \(known.joined(separator: ", "))")
    }
}
