/** The label of a row: the connection's port, what it carries, and how long a stream or a socket has been open. */
import { html, nothing, type TemplateResult } from 'lit'
import { count, duration } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { type Carried, isTransport } from './carried.ts'
import type { Row, Stretch } from './figure.ts'
import { thin } from '../units.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

/** All that a connection carries in this stretch. */
function carriedIn({ exchanges, blocks }: Stretch): readonly Carried[] {
  return [...new Set([...exchanges, ...blocks].map(({ carries }) => carries))]
}

/** Another key, another label. */
export const labelKey = (stretch: Stretch | undefined): string =>
  stretch === undefined ? '' : `${stretch.connection.id} ${stretch.connection.state.closedAt === undefined} ${carriedIn(stretch).join(' ')}`

/** `open 3.5 s`, `lasted 2 min`: beside the picture, for on the line it would cover what passed first. */
export function lastingOf(row: Row | undefined): string {
  const held = row?.held.findLast(({ carries }) => carries === 'sse' || carries === 'websocket')
  return held === undefined ? '' : `${held.later ? 'open' : 'lasted'} ${inShort(held.ms)}`
}

/** The column is narrow: one unit. */
function inShort(ms: number): string {
  if (ms < minuteMs) return duration(ms)
  return ms < hourMs ? `${Math.floor(ms / minuteMs)}${thin}min` : `${count(Math.floor(ms / hourMs))}${thin}h`
}

export function labelOf(stretch: Stretch, row: Row | undefined): TemplateResult {
  const { state } = stretch.connection
  const all = carriedIn(stretch)
  const carried = all.filter(isTransport)
  return html`<span class="port"><span class="unseen">port </span>${state.port}</span>
    <span class="carried">
      ${carried.map((name) => html`<span data-transport=${name}>${glyph(name, wires[name].title)}</span>`)}
      ${carried.length === 0 ? html`<small>${all.includes('publish') ? 'publish' : all.length > 0 ? 'page' : 'idle'}</small>` : nothing}
      ${state.closedAt === undefined ? nothing : html`<small>closed</small>`}
    </span>
    <small class="lasting">${lastingOf(row)}</small>`
}
