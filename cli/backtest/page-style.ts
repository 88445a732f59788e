/** The page's style sheet: light and dark by the reader's own setting. */
export const pageStyle = `
:root { --page: #fff; --text: #1a2230; --soft: #5b6676; --line: #dde2e8; --column: #9db2c9; --during: #d1495b; --usual: #2a7f62; --alarm: #1a2230; --panel: #f6f8fa; }
@media (prefers-color-scheme: dark) {
  :root { --page: #12161c; --text: #e4e9f0; --soft: #98a4b3; --line: #2b333d; --column: #52677e; --during: #ef7484; --usual: #55c39a; --alarm: #e4e9f0; --panel: #1a2028; }
}
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 24px 16px 64px; }
h1 { font-size: 24px; }
h2 { font-size: 17px; margin: 0 0 8px; overflow-wrap: anywhere; }
small, .note, .legend { color: var(--soft); font-size: 13px; font-weight: normal; }
pre { background: var(--panel); padding: 12px; overflow-x: auto; font-size: 12.5px; line-height: 1.45; }
section { border-top: 1px solid var(--line); padding: 20px 0 4px; }
svg { display: block; width: 100%; height: auto; }
svg .grid { stroke: var(--line); }
svg .axis { fill: var(--soft); font-size: 11px; }
svg .column { fill: var(--column); }
svg .during { fill: var(--during); }
svg .usual { fill: var(--usual); opacity: .28; }
svg .alarm { stroke: var(--alarm); stroke-width: 1.5; stroke-dasharray: 4 3; }
.swatch { display: inline-block; width: 12px; height: 12px; margin-left: 10px; vertical-align: -1px; }
.swatch.column { background: var(--column); }
.swatch.during { background: var(--during); }
.swatch.usual { background: var(--usual); opacity: .4; }
.swatch.alarm { width: 0; border-left: 2px dashed var(--alarm); }
.severity { display: inline-block; padding: 0 8px; border-radius: 4px; font-size: 13px; border: 1px solid currentColor; }
.severity.critical { color: var(--during); }
.severity.info { color: var(--soft); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; vertical-align: top; padding: 6px 8px; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:last-child, td:last-child { white-space: normal; overflow-wrap: anywhere; }
th:last-child, td:last-child { min-width: 280px; }
.number { text-align: right; white-space: nowrap; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 6px 0; }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
`
