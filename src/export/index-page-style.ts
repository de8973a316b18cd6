/** For reading, on screen, in the dark, and on paper. No font, image or script is fetched. */
export const indexPageStyle = `
:root { color-scheme: light dark;
  --paper: #fbfaf7; --card: #ffffff; --ink: #22252a; --quiet: #636870; --line: #e5e1d8; --accent: #2b5f5a; --tint: #eef3f0; --note: #fdf6e7; --note-line: #e8d6a8; }
@media (prefers-color-scheme: dark) { :root {
  --paper: #16181b; --card: #1d2024; --ink: #e5e3de; --quiet: #9da2a9; --line: #31353b; --accent: #8fc7bd; --tint: #1f2b2a; --note: #2a2619; --note-line: #52482a; } }
* { box-sizing: border-box; }
html { scroll-behavior: smooth; -webkit-text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.0625rem/1.65 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
main, header, footer { max-width: 54rem; margin: 0 auto; padding: 0 1.5rem; }
header { padding-top: 4.5rem; }
h1, h2 { font-family: "Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", Georgia, serif; font-weight: 500; line-height: 1.2; text-wrap: balance; }
h1 { font-size: clamp(2rem, 5vw, 2.9rem); margin: 0 0 1rem; letter-spacing: -0.01em; }
h2 { font-size: 1.6rem; margin: 0 0 .75rem; }
h3, h4 { font-size: 1.0625rem; font-weight: 650; margin: 0; }
h4 { font-size: 1rem; font-weight: 600; }
p { margin: 0 0 1rem; max-width: 42rem; text-wrap: pretty; }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: .18em; }
a:focus-visible, [tabindex]:focus-visible { outline: 2px solid var(--accent); outline-offset: 3px; border-radius: 3px; }
.eyebrow { color: var(--accent); font-size: .8125rem; font-weight: 600; letter-spacing: .08em; text-transform: uppercase; margin: 0 0 .75rem; }
.lead { font-size: 1.1875rem; line-height: 1.6; color: var(--ink); }
.quiet { color: var(--quiet); font-size: .9375rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px; margin: 2rem 0 0; padding: 0; background: var(--line); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.figures div { background: var(--card); padding: 1rem 1.25rem; }
.figures dt { color: var(--quiet); font-size: .875rem; }
.figures dd { margin: .1rem 0 0; font-size: 1.35rem; font-variant-numeric: tabular-nums; line-height: 1.3; }
nav ul { list-style: none; display: flex; flex-wrap: wrap; gap: .35rem 1.4rem; margin: 1.75rem 0 0; padding: 0; font-size: .9688rem; }
section { margin-top: 3.5rem; padding-top: 2.25rem; border-top: 1px solid var(--line); scroll-margin-top: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; margin: 0 0 1.25rem; overflow: hidden; }
.card > .about { padding: 1.1rem 1.25rem; }
.card p { margin: .3rem 0 0; }
.title { display: flex; flex-wrap: wrap; gap: .2rem 1rem; justify-content: space-between; align-items: baseline; }
.count { color: var(--quiet); font-variant-numeric: tabular-nums; font-size: .9375rem; white-space: nowrap; }
.scroll { overflow-x: auto; border-top: 1px solid var(--line); }
.scroll.first { border-top: 0; }
table { border-collapse: collapse; width: 100%; font-size: .875rem; line-height: 1.45; font-variant-numeric: tabular-nums; }
th, td { text-align: start; vertical-align: top; padding: .55rem .9rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-inline-start: 1.25rem; }
tr:last-child td { border-bottom: 0; }
thead th { color: var(--quiet); font-weight: 550; background: var(--tint); white-space: nowrap; }
td { min-width: 6rem; max-width: 24rem; overflow-wrap: anywhere; }
td.one-line { white-space: nowrap; } td.wide { min-width: 18rem; }
td.figure, th.figure { text-align: end; white-space: nowrap; min-width: 0; }
.none { color: var(--quiet); font-style: italic; }
.sealed { display: inline-block; padding: 0 .5rem; border-radius: 1rem; background: var(--tint); color: var(--accent); font-size: .8125rem; white-space: nowrap; }
.note { background: var(--note); border: 1px solid var(--note-line); border-radius: 12px; padding: 1.1rem 1.25rem; margin: 0 0 1.25rem; }
.note p:last-child, .note ul:last-child { margin-bottom: 0; }
ul { padding-inline-start: 1.2rem; margin: 0 0 1rem; } li { margin: .25rem 0; max-width: 42rem; }
dl.facts { display: grid; grid-template-columns: minmax(9rem, 13rem) 1fr; gap: .5rem 1.5rem; margin: 0; padding: 0 1.25rem 1.1rem; }
dl.facts dt { color: var(--quiet); } dl.facts dd { margin: 0; }
.legal { border-top: 1px solid var(--line); padding: 1.1rem 1.25rem; }
.legal p { font-size: .9688rem; margin: .35rem 0 0; }
code { font: .875em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere; }
footer { margin-top: 4rem; padding-top: 1.5rem; padding-bottom: 4rem; color: var(--quiet); font-size: .875rem; }
@media (max-width: 36rem) { header { padding-top: 2.5rem; } dl.facts { grid-template-columns: 1fr; gap: .1rem; } dl.facts dd { margin-bottom: .6rem; } }
@media print {
  :root { --paper: #fff; --card: #fff; --ink: #000; --quiet: #444; --line: #bbb; --accent: #000; --tint: #f3f3f3; --note: #fff; --note-line: #bbb; color-scheme: light; }
  body { font-size: 10pt; } header { padding-top: 0; } nav { display: none; } main, header, footer { max-width: none; padding-inline: 0; }
  section { margin-top: 1.5rem; padding-top: 1rem; } h2, h3 { break-after: avoid; } tr, .figures, .note { break-inside: avoid; } .scroll { overflow: visible; }
  table { font-size: 7.5pt; table-layout: fixed; } th, td, thead th { white-space: normal; padding: .25rem .4rem; min-width: 0; overflow-wrap: anywhere; } }
`;
