/** The picture's twin for who reads rather than looks: its connections and its blocks, from the same data that is drawn. */
import { html, nothing, type TemplateResult } from 'lit'
import { count, duration } from '../units.ts'
import { glyph } from '../wires.ts'
import { type Carried, isTransport } from './carried.ts'
import type { Figure } from './figure.ts'
import { sumsOf } from './sums.ts'
import type { WireBlock, WireConnection } from './wire-model.ts'
import { nameOf, wordOf } from './words.ts'

/** So many blocks are listed, the newest first. */
const listed = 50

export function connectionTable(connections: readonly WireConnection[], at: number): TemplateResult {
  return html`<table data-testid="connections">
    <caption>
      Each TCP connection since it was opened, in bytes
    </caption>
    <thead>
      <tr>
        ${['Port', 'Carried', 'State', 'Requests', 'Up', 'Down', 'Payload', 'Not recognised'].map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${connections.map((each) => connectionRow(each, at))}
    </tbody>
  </table>`
}

function connectionRow({ state, exchanges, blocks, lost }: WireConnection, at: number): TemplateResult {
  const { requests, up, down, payload, unattributed } = sumsOf(state)
  const carried = [...new Set([...exchanges.values(), ...blocks].map(({ carries }) => carries))]
  const { closedAt, openedAt } = state
  const age =
    closedAt === undefined ? `open ${duration(at - openedAt)}` : lost ? 'gone, nobody told when' : `closed ${duration(at - closedAt)} ago`
  return html`<tr data-port=${state.port}>
    <th scope="row">${state.port}</th>
    <td>${carried.map((one) => html`${sign(one)} `)}</td>
    <td>${age}</td>
    ${[requests, up, down, payload, unattributed].map((amount) => html`<td>${count(amount)}</td>`)}
  </tr>`
}

const sign = (carries: Carried): TemplateResult =>
  isTransport(carries)
    ? html`<span data-transport=${carries}>${glyph(carries)} ${wordOf(carries)}</span>`
    : html`<span>${wordOf(carries)}</span>`

export function blockTable(figure: Figure | undefined, choose: (block: WireBlock) => void): TemplateResult {
  const rows = figure?.rows.flatMap((row) => row?.bars.map(({ block }) => ({ block, port: row.connection.state.port })) ?? []) ?? []
  const newest = rows.toSorted((one, other) => other.block.at - one.block.at).slice(0, listed)
  const to = figure?.span.to ?? 0
  return html`<table data-testid="blocks">
    <caption>
      ${rows.length > listed ? `The newest ${listed} of ${count(rows.length)} blocks` : `All ${count(rows.length)} blocks`} in the picture
    </caption>
    <thead>
      <tr>
        ${['Before its end', 'Port', 'Block', 'Overhead', 'Payload'].map((name) => html`<th scope="col">${name}</th>`)}
      </tr>
    </thead>
    <tbody>
      ${newest.map(
        ({ block, port }) =>
          html`<tr data-block=${`${block.connection}.${block.block}`}>
            <th scope="row">${duration(to - block.at)}</th>
            <td>${port}</td>
            <td>
              <button type="button" class="quiet" @click=${() => choose(block)}>
                ${isTransport(block.carries) ? html`<span data-transport=${block.carries}>${glyph(block.carries)}</span>` : nothing}
                ${nameOf(block)}
              </button>
            </td>
            <td>${count(block.bytes - block.payload)}</td>
            <td>${count(block.payload)}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}
