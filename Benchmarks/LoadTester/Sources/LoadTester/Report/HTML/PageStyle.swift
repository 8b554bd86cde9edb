/// How the page looks, by day and by night.
enum PageStyle {
    static let css = """
        :root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1b2330; --soft: #5d6878; --rule: #e3e7ed;
          --admitted: #2166c4; --refused: #e0912b; --other: #8d5bb5; --failed: #cf3a3a; --tail: #0f8a80; --bound: #cf3a3a;
          --good: #1a7f4b; --warn: #a76a06; --bad: #c42f2f; --fault: #cf3a3a; --quiet: #8a94a3; }
        @media (prefers-color-scheme: dark) {
          :root { --page: #12161d; --card: #1a202a; --ink: #e6eaf0; --soft: #98a3b3; --rule: #2b3442;
            --admitted: #5b9bf0; --refused: #e5a84f; --other: #b48ad8; --failed: #f07070; --tail: #45c0b4; --bound: #f07070;
            --good: #56c58b; --warn: #e0ad53; --bad: #f07070; --fault: #f07070; --quiet: #7f8a9a; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
        main { max-width: 960px; margin: 0 auto; padding: 28px 20px 48px; }
        h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 0 0 8px; }
        .targets { margin: 0; overflow-wrap: anywhere; } .facts { margin: 4px 0 0; color: var(--soft); } .facts span { white-space: nowrap; }
        code, pre { font-family: ui-monospace, "SF Mono", Menlo, Consolas, monospace; font-size: 13px; }
        .notice { border-left: 3px solid var(--warn); background: var(--card); padding: 8px 12px; margin: 14px 0 0; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0; }
        .tile, section { background: var(--card); border: 1px solid var(--rule); border-radius: 8px; }
        .tile { padding: 12px 14px; display: flex; flex-direction: column; }
        .tile span, .tile small { color: var(--soft); font-size: 13px; } .tile strong { font-size: 24px; line-height: 1.35; font-weight: 600; }
        .tile.good strong, td.good { color: var(--good); } .tile.warn strong { color: var(--warn); } .tile.bad strong, td.bad { color: var(--bad); }
        section { padding: 16px 18px; margin: 12px 0; overflow-x: auto; }
        svg { width: 100%; min-width: 560px; height: auto; display: block; }
        .legend { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--soft); margin-bottom: 4px; }
        .key::before { content: ""; display: inline-block; width: 12px; height: 3px; margin-right: 7px; vertical-align: middle; background: currentColor; }
        .key.admitted::before { background: var(--admitted); } .key.refused::before { background: var(--refused); }
        .key.other::before { background: var(--other); } .key.failed::before { background: var(--failed); }
        .key.tail::before { background: var(--tail); } .key.bound::before { background: var(--bound); }
        .line { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .dashed { stroke-dasharray: 6 4; stroke-width: 1.5; }
        .line.admitted { stroke: var(--admitted); } .line.tail { stroke: var(--tail); } .line.bound { stroke: var(--bound); }
        .area { opacity: .85; } .area.admitted { fill: var(--admitted); } .area.refused { fill: var(--refused); }
        .area.other { fill: var(--other); } .area.failed { fill: var(--failed); }
        .grid { stroke: var(--rule); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
        .tick, .title, .mark { font-size: 11.5px; fill: var(--soft); font-family: system-ui, -apple-system, "Segoe UI", sans-serif; }
        .band { opacity: .13; } .band.thin { opacity: .8; } .band.fault { fill: var(--fault); } .band.quiet { fill: var(--quiet); }
        .mark.fault { fill: var(--fault); font-weight: 600; } .mark.quiet { fill: var(--quiet); }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; } th { text-align: left; font-weight: 500; color: var(--soft); }
        td, th { padding: 3px 22px 3px 0; } .numbers td:not(:first-child), .numbers th:not(:first-child) { text-align: right; }
        pre { margin: 0; overflow-x: auto; line-height: 1.4; }
        """
}
