package enum HTMLReport { package static func page(_ report: Report) -> String { "" } }
