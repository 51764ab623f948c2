/** The field's twins: what each wire has brought, and where each head is. */
import { html, nothing, type TemplateResult } from 'lit'
import { type PresentMember, transportNames } from '../../client/index.ts'
import { count } from '../units.ts'
import { glyph, wires } from '../wires.ts'
import { jumpWords, positionWords } from './heads-words.ts'
import type { Heads } from './heads.ts'

/** The wires beside each other, as far as the page has had them. */
export const wiresTable = (heads: Heads): TemplateResult =>
  html`<table class="positions">
    <caption>
      Since you look, by the wire that you had.
    </caption>
    <thead>
      <tr>
        <th scope="col">Transport</th>
        <th scope="col">Batches that moved others</th>
        <th scope="col">Samples</th>
        <th scope="col">Mean jump</th>
      </tr>
    </thead>
    <tbody>
      ${transportNames.map((transport) => {
        const brought = heads.brought(transport)
        return html`<tr data-transport=${transport}>
          <th scope="row">${glyph(transport)} ${wires[transport].title}</th>
          <td>${count(brought.batches)}</td>
          <td>${count(brought.samples)}</td>
          <td>${jumpWords(brought)}</td>
        </tr>`
      })}
    </tbody>
  </table>`

/** Everybody who has a head, by name; `me` is ours. */
export function positionsTable(heads: Heads, names: ReadonlyMap<string, PresentMember>, me: string | undefined): TemplateResult {
  const rows = [...heads.trails]
    .map(([id, trail]) => ({ id, member: names.get(id), at: trail.at(-1) }))
    .toSorted((one, other) => (one.member?.name ?? '').localeCompare(other.member?.name ?? ''))
  return html`<table class="positions" data-testid="positions">
    <caption>
      Where each head was last told to be: from the left, from the top.
    </caption>
    <thead>
      <tr>
        <th scope="col">Member</th>
        <th scope="col">Here over</th>
        <th scope="col">Position</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(
        ({ id, member, at }) =>
          html`<tr data-member=${id}>
            <th scope="row"><bdi>${member?.name ?? 'somebody'}</bdi>${id === me ? html` <span class="you">you</span>` : nothing}</th>
            <td>${(member?.wires ?? []).map((wire) => html`<span data-transport=${wire}>${glyph(wire)}</span> ${wires[wire].word} `)}</td>
            <td>${at === undefined ? '' : positionWords(at)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}
