/**
 * text/event-stream, both directions.
 * Source: WHATWG HTML, 9.2.5 "Parsing an event stream" and 9.2.6 "Interpreting an event stream".
 */

export const eventStreamType = 'text/event-stream'

/** One event to write. Every field is optional; `retry` is in ms. */
export interface EventFields {
  readonly id?: string
  readonly event?: string
  readonly data?: string
  readonly retry?: number
}

/** One event as a reader receives it: `id` is the last one seen on the stream, `event` is "message" by default. */
export interface StreamEvent {
  readonly id: string
  readonly event: string
  readonly data: string
  /** The reconnection time in ms, where the stream has set one so far. */
  readonly retry: number | undefined
}

const lineEnd = /\r\n|\r|\n/

/**
 * The text of one event, its blank line included. Data may have any text; each of its lines becomes a `data:` field.
 * @throws RangeError where id or event has a line end or NUL: they would become fields of their own.
 */
export function encodeEvent({ id, event, data, retry }: EventFields): string {
  let text = ''
  if (retry !== undefined) text += `retry: ${Math.round(retry)}\n`
  if (event !== undefined) text += `event: ${singleLine(event)}\n`
  if (id !== undefined) text += `id: ${singleLine(id)}\n`
  if (data !== undefined) for (const line of data.split(lineEnd)) text += `data: ${line}\n`
  return `${text}\n`
}

function singleLine(value: string): string {
  if (/[\r\n\0]/.test(value)) throw new RangeError('an id or event name is one line')
  return value
}

/** Reads a stream of bytes, cut anywhere, even within a character or between CR and LF. */
export class EventStreamDecoder {
  // One decoder for the whole stream: a character split over two chunks is still one character. It drops a leading BOM.
  readonly #utf8 = new TextDecoder()
  #line = ''
  #afterCr = false
  #data: string[] = []
  #event = ''
  #id = ''
  #retry: number | undefined

  /** The events that these bytes complete. What is incomplete waits for the next bytes, and is dropped with the stream. */
  push(bytes: Uint8Array): StreamEvent[] {
    const events: StreamEvent[] = []
    let text = this.#utf8.decode(bytes, { stream: true })
    if (this.#afterCr && text !== '') {
      if (text.startsWith('\n')) text = text.slice(1)
      this.#afterCr = false
    }
    if (text.endsWith('\r')) this.#afterCr = true
    const lines = text.split(lineEnd)
    lines[0] = this.#line + lines[0]
    this.#line = lines.pop() ?? ''
    for (const line of lines) {
      if (line === '') this.#dispatch(events)
      else this.#field(line)
    }
    return events
  }

  #dispatch(events: StreamEvent[]): void {
    if (this.#data.length > 0) {
      events.push({ id: this.#id, event: this.#event || 'message', data: this.#data.join('\n'), retry: this.#retry })
    }
    this.#data = []
    this.#event = ''
  }

  #field(line: string): void {
    const colon = line.indexOf(':')
    const name = colon === -1 ? line : line.slice(0, colon)
    let value = colon === -1 ? '' : line.slice(colon + 1)
    if (value.startsWith(' ')) value = value.slice(1)
    if (name === 'data') this.#data.push(value)
    else if (name === 'event') this.#event = value
    else if (name === 'id' && !value.includes('\0')) this.#id = value
    else if (name === 'retry' && /^[0-9]{1,15}$/.test(value)) this.#retry = Number(value)
  }
}
