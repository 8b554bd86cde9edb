/// What is wrong with a message. A connection whose peer sent it cannot be used any further: answer, then close.
package struct WireError: Error, Equatable, Sendable {
    package enum Code: String, CaseIterable, Sendable {
        case badLineEnding = "bad_line_ending"
        case badRequestLine = "bad_request_line"
        case badMethod = "bad_method"
        case methodNotSupported = "method_not_supported"
        case badTarget = "bad_target"
        case badPath = "bad_path"
        case versionNotSupported = "version_not_supported"
        case badStatusLine = "bad_status_line"
        case badFieldName = "bad_field_name"
        case badFieldValue = "bad_field_value"
        case foldedField = "folded_field"
        case badHost = "bad_host"
        case authorityMismatch = "authority_mismatch"
        case badContentLength = "bad_content_length"
        case badTransferEncoding = "bad_transfer_encoding"
        case transferCodingNotSupported = "transfer_coding_not_supported"
        case ambiguousLength = "ambiguous_length"
        case badConnection = "bad_connection"
        case badExpectation = "bad_expectation"
        case unexpectedBody = "unexpected_body"
        case unexpectedUpgrade = "unexpected_upgrade"
        case targetTooLong = "target_too_long"
        case headTooLarge = "head_too_large"
        case tooManyFields = "too_many_fields"
        case badChunk = "bad_chunk"
        case trailersTooLarge = "trailers_too_large"
        case truncated = "truncated"
    }

    package let code: Code

    package init(_ code: Code) { self.code = code }

    /// What to answer the client where its request broke; where an upstream's response broke it is 502.
    package var status: Int {
        switch code {
        case .targetTooLong: 414
        case .badExpectation: 417
        case .headTooLarge, .tooManyFields, .trailersTooLarge: 431
        case .methodNotSupported, .transferCodingNotSupported: 501
        case .versionNotSupported: 505
        default: 400
        }
    }

    /// One sentence without a full stop, safe to show to whoever sent the message.
    package var message: String {
        switch code {
        case .badLineEnding: "lines must end in CRLF"
        case .badRequestLine:
            "the request line must be a method, a target and HTTP/1.1 or HTTP/1.0, one space between them"
        case .badMethod: "the method is not a token"
        case .methodNotSupported: "the method is not supported"
        case .badTarget: "the request target is not valid"
        case .badPath: "the path has an escape, a character or a dot segment that is not accepted"
        case .versionNotSupported: "only HTTP/1.1 and HTTP/1.0 are supported"
        case .badStatusLine: "the status line is not valid"
        case .badFieldName: "a field name is not a token followed by a colon"
        case .badFieldValue: "a field value has a control character"
        case .foldedField: "a field is folded over several lines"
        case .badHost: "there must be one Host field with a valid host"
        case .authorityMismatch: "the target and the Host field name different hosts"
        case .badContentLength: "Content-Length must be one decimal number"
        case .badTransferEncoding: "Transfer-Encoding must be one field, in HTTP/1.1"
        case .transferCodingNotSupported: "the only transfer coding supported is chunked"
        case .ambiguousLength: "Content-Length and Transfer-Encoding exclude each other"
        case .badConnection: "the Connection field is not a list of names, or names a field that it may not"
        case .badExpectation: "the only expectation supported is 100-continue"
        case .unexpectedBody: "a response of this status has no body"
        case .unexpectedUpgrade: "the protocol was switched without being asked for"
        case .targetTooLong: "the request target is too long"
        case .headTooLarge: "the header section is too large"
        case .tooManyFields: "there are too many fields"
        case .badChunk: "the chunked body is not valid"
        case .trailersTooLarge: "chunk extensions or trailers are too large"
        case .truncated: "the connection closed before the message was complete"
        }
    }
}
