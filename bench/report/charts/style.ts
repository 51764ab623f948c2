/** The style of the drawings. Its colours are the custom properties of the page that they stand on. */
export const chartStyle = `
.chart { display: block; width: 100%; height: auto; font: 13px var(--ui); font-variant-numeric: tabular-nums; }
.chart text { fill: var(--ink); }
.chart .tick, .chart .axis { fill: var(--muted); }
.chart .name { fill: var(--hue-ink); paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.chart .word { paint-order: stroke; stroke: var(--paper); stroke-width: 4px; stroke-linejoin: round; }
.chart .grid { stroke: var(--rule); stroke-width: 0.75; }
.chart .edge { stroke: var(--edge); stroke-width: 1; }
.chart .cross { stroke: var(--ink); stroke-width: 1; }
.chart .line { fill: none; stroke: var(--hue); stroke-linejoin: round; }
.chart .pale { stroke-opacity: 0.4; }
.chart .thread { fill: none; stroke: var(--hue); stroke-width: 0.75; stroke-opacity: 0.7; }
.chart .whisker { fill: none; stroke: var(--hue); stroke-width: 1.5; }
.mark { fill: none; stroke: var(--hue); stroke-width: 1.75; }
.ground { fill: var(--paper); stroke: var(--paper); stroke-width: 5; stroke-linejoin: round; }
.chart .bar { fill: var(--hue); }
.chart .hatch { fill: none; stroke: var(--paper); }
.chart .outline { fill: none; stroke: var(--hue); stroke-width: 1; }
.hue-poll { --hue: var(--poll); --hue-ink: var(--poll-ink); }
.hue-long-poll { --hue: var(--long-poll); --hue-ink: var(--long-poll-ink); }
.hue-sse { --hue: var(--sse); --hue-ink: var(--sse-ink); }
.hue-websocket { --hue: var(--websocket); --hue-ink: var(--websocket-ink); }
.hue-other { --hue: var(--muted); --hue-ink: var(--ink); }
`
