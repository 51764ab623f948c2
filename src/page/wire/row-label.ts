/** The label of a row: the connection's port, and what it carries now. */
import { html, nothing, type TemplateResult } from 'lit'
import { glyph, wires } from '../wires.ts'
import { type Carried, isTransport } from './carried.ts'
import type { Stretch } from './figure.ts'

/** All that a connection carries in this stretch. */
function carriedIn({ exchanges, blocks }: Stretch): readonly Carried[] {
  return [...new Set([...exchanges, ...blocks].map(({ carries }) => carries))]
}

/** Another key, another label. */
export const labelKey = (stretch: Stretch | undefined): string =>
  stretch === undefined ? '' : `${stretch.connection.id} ${stretch.connection.state.closedAt === undefined} ${carriedIn(stretch).join(' ')}`

export function labelOf(stretch: Stretch): TemplateResult {
  const { state } = stretch.connection
  const all = carriedIn(stretch)
  const carried = all.filter(isTransport)
  return html`<span class="port"><span class="unseen">port </span>${state.port}</span>
    <span class="carried">
      ${carried.map((name) => html`<span data-transport=${name}>${glyph(name, wires[name].title)}</span>`)}
      ${carried.length === 0 ? html`<small>${all.includes('publish') ? 'publish' : all.length > 0 ? 'page' : 'idle'}</small>` : nothing}
      ${state.closedAt === undefined ? nothing : html`<small>closed</small>`}
    </span>`
}
