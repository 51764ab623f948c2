/** The style of the page: paper, ink, hairlines; hue for the four wires alone. The values are those of `public/style.css`. */
export const pageStyle = `
:root {
  color-scheme: light;
  --paper: #fbfaf7; --panel: #ffffff; --ink: #1b1d1f; --muted: #5b6066; --rule: #c9c4ba; --edge: #8a857b; --error: #b3261e;
  --poll: #8f2d0c; --long-poll: #b5851f; --sse: #1f9c8f; --websocket: #12388a;
  --poll-ink: #8f2d0c; --long-poll-ink: #7a5a00; --sse-ink: #00706a; --websocket-ink: #12388a;
  --text: Charter, 'Iowan Old Style', 'Source Serif 4', Georgia, serif;
  --ui: ui-sans-serif, system-ui, sans-serif;
  --code: ui-monospace, 'SF Mono', Menlo, Consolas, monospace;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    color-scheme: dark;
    --paper: #14171a; --panel: #1d2125; --ink: #ece8e1; --muted: #9aa1a8; --rule: #363c42; --edge: #6b727a; --error: #ff8a80;
    --poll: #d9704f; --long-poll: #f6dc62; --sse: #57e6d6; --websocket: #6f8de6;
    --poll-ink: #d9704f; --long-poll-ink: #f6dc62; --sse-ink: #57e6d6; --websocket-ink: #6f8de6;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--ink); font: 18px/28px var(--text); font-variant-numeric: tabular-nums; text-size-adjust: 100%; }
body { max-width: 1088px; margin: 0 auto; padding: 40px 24px 64px; overflow-wrap: break-word; }
p, ol, ul, h1, h2, h3, dl, dd, figure { margin: 0; }
p, ol, ul { max-width: 66ch; }
h1, h2, h3 { line-height: 1.25; font-weight: 600; text-wrap: balance; }
h1 { font-size: 32px; }
h2 { font-size: 24px; margin: 64px 0 16px; padding-top: 16px; border-top: 1px solid var(--rule); }
h3 { font-size: 18px; margin: 24px 0 8px; }
p + p, p + ol, p + ul, ol + p, ul + p { margin-top: 8px; }
ol, ul { padding-left: 24px; }
li + li { margin-top: 8px; }
a { color: inherit; text-underline-offset: 3px; }
a:focus-visible, button:focus-visible, .scroll:focus-visible, pre:focus-visible { outline: 3px solid var(--ink); outline-offset: 2px; }
.line, .made { font: 14px/20px var(--ui); color: var(--muted); max-width: none; margin-top: 8px; }
.banner { max-width: none; margin: 16px 0 0; padding: 8px 16px; border: 2px solid var(--error); color: var(--error); font: 600 16px/24px var(--ui); }
nav ol { columns: 2; column-gap: 40px; font: 16px/24px var(--ui); max-width: none; }
nav li { break-inside: avoid; }
nav li + li { margin-top: 4px; }
.scope { display: grid; grid-template-columns: 1fr 1fr; gap: 24px 40px; margin-top: 24px; }
.scope ul, .facts { font: 16px/24px var(--ui); }
.scope li + li { margin-top: 0; }
.scope h3 { margin-top: 0; }
.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 24px; }
.facts dt { color: var(--muted); }
.facts dd { min-width: 0; overflow-wrap: anywhere; }
.question { font-size: 20px; }
.question + .facts { margin-top: 12px; }
figure { margin-top: 32px; }
figcaption { font: 600 16px/24px var(--ui); }
.note { font: 14px/20px var(--ui); color: var(--muted); margin-top: 4px; max-width: 80ch; }
.scroll { overflow-x: auto; margin-top: 8px; }
table { border-collapse: collapse; font: 15px/22px var(--ui); min-width: 100%; }
th, td { padding: 6px 8px; text-align: left; vertical-align: baseline; border-bottom: 1px solid var(--rule); white-space: nowrap; font-weight: 400; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { vertical-align: bottom; font-weight: 600; border-bottom: 1px solid var(--edge); font-size: 14px; line-height: 20px; }
.number { text-align: right; }
.words { white-space: normal; min-width: 16em; }
tbody .label { position: sticky; left: 0; background: var(--paper); }
table .beside { padding-left: 28px; }
table .signed { text-indent: -28px; }
.how, .unit, .bounds, .absent { color: var(--muted); font-weight: 400; }
.how { display: block; font-size: 14px; }
.absent { text-decoration: none; }
.fails { color: var(--error); font-weight: 600; }
.glyph { width: 20px; height: 20px; vertical-align: -4px; margin-right: 8px; }
.drawing { margin-top: 12px; max-width: 760px; }
.narrow { display: none; }
pre { font: 14px/20px var(--code); padding: 12px 16px; border: 1px solid var(--rule); background: var(--panel); overflow-x: auto; margin: 8px 0; }
code { font: 0.9em var(--code); }
button { font: 16px/24px var(--ui); color: inherit; background: var(--panel); border: 1px solid var(--edge); border-radius: 2px; padding: 9px 16px; min-height: 44px; margin: 8px 8px 0 0; cursor: pointer; }
@media (max-width: 640px) {
  body { padding: 24px 16px 40px; }
  h1 { font-size: 24px; }
  h2 { margin-top: 40px; }
  nav ol { columns: 1; }
  nav a { display: block; padding: 8px 0; }
  .scope { grid-template-columns: 1fr; }
  .facts { grid-template-columns: 1fr; gap: 0; }
  .facts dd { margin-bottom: 8px; }
  tbody .label { white-space: normal; min-width: 7.5em; max-width: 44vw; }
  .drawing.narrow { display: block; }
  .drawing.wide { display: none; }
}
@media print {
  @page { margin: 16mm; }
  html { font-size: 11pt; line-height: 1.4; background: none; }
  :root { --paper: #ffffff; }
  body { max-width: none; padding: 0; }
  h2 { break-after: avoid; margin-top: 24pt; }
  h3, figcaption, thead { break-after: avoid; }
  figure, tr, .banner { break-inside: avoid; }
  table { font-size: 9pt; line-height: 1.35; }
  thead th, .how, .note, .line { font-size: 8pt; line-height: 1.35; }
  th, td { padding: 2pt 5pt; white-space: normal; }
  td.number, .bounds { white-space: nowrap; }
  .words { min-width: 8em; }
  tbody .label { position: static; }
  .bounds { display: block; }
  .scroll { overflow: visible; }
  .drawing.wide { display: block; max-width: 150mm; }
  .drawing.narrow, button, .downloads { display: none; }
  pre { white-space: pre-wrap; }
}
`
