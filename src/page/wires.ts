/** The four wires, as the page shows them: word, key, glyph, and the sentence that each can say of itself. */
import { nothing, svg, type SVGTemplateResult, type TemplateResult, html } from 'lit'
import { type TransportName, transportNames } from '../client/index.ts'
import { count, counted, duration, milliseconds } from './units.ts'

/** What has come over the wire that is live, for its sentence. */
export interface Account {
  readonly batches: number
  readonly openMs: number
  /** Since the last batch. */
  readonly quietMs: number
  /** Between two polls. */
  readonly pollMs: number
}

interface Words {
  /** Within a sentence. */
  readonly word: string
  /** At its beginning, and on a label. */
  readonly title: string
  readonly key: string
  readonly tell: (account: Account) => string
}

const last = ({ quietMs }: Account): string => `last ${duration(quietMs)} ago`

export const wires: Readonly<Record<TransportName, Words>> = {
  poll: {
    word: 'polling',
    title: 'Polling',
    key: '1',
    tell: (account) =>
      `${counted(account.batches, 'question')} asked, one every ${milliseconds(account.pollMs)}, last answer ${duration(account.quietMs)} ago`,
  },
  'long-poll': {
    word: 'long polling',
    title: 'Long polling',
    key: '2',
    // The next question goes out with the last answer, so it has been held for as long as nothing came.
    tell: (account) => `one question held for ${duration(account.quietMs)}, ${counted(account.batches, 'answer')}, ${last(account)}`,
  },
  sse: {
    word: 'SSE',
    title: 'SSE',
    key: '3',
    tell: (account) => `one response held open for ${duration(account.openMs)}, ${batches(account)}, ${last(account)}`,
  },
  websocket: {
    word: 'WebSocket',
    title: 'WebSocket',
    key: '4',
    tell: (account) => `one socket open for ${duration(account.openMs)}, ${batches(account)}, ${last(account)}`,
  },
}

const batches = (account: Account): string => `${count(account.batches)} ${account.batches === 1 ? 'batch' : 'batches'}`

/** The transport that a key stands for. */
export const wireOfKey = (key: string): TransportName | undefined => transportNames.find((name) => wires[name].key === key)

const marks: Readonly<Record<TransportName, SVGTemplateResult>> = {
  // An open ring: asked, answered, nothing kept.
  poll: svg`<circle cx="8" cy="8" r="4.75" />`,
  // A hollow bar: a question that is held.
  'long-poll': svg`<rect x="1.5" y="5" width="13" height="6" />`,
  // An arrow down: one way.
  sse: svg`<path d="M8 1.5V14M3 9l5 5 5-5" />`,
  // An arrow with two heads: both ways.
  websocket: svg`<path d="M1.5 8h13M5 3.5.9 8 5 12.5M11 3.5 15.1 8 11 12.5" />`,
}

/** The sign of a transport. Give it a name where no word stands beside it. */
export function glyph(transport: TransportName, name?: string): TemplateResult {
  return html`<svg
    class="glyph"
    viewBox="0 0 16 16"
    role=${name === undefined ? nothing : 'img'}
    aria-label=${name ?? nothing}
    aria-hidden=${name === undefined ? 'true' : nothing}
  >
    ${marks[transport]}
  </svg>`
}

/** The sign of a gap, a loss, a refusal: a wire that is cut. */
export const cut = html`<svg class="glyph" viewBox="0 0 16 16" aria-hidden="true"><path d="M8 0v4.5M8 11.5V16M3.5 9.5l9-3" /></svg>`
