/** What may happen on the way between a client and a server: one fault for one exchange, a request and its answer. */

/** `up` is from the client to the server. */
export type Direction = 'up' | 'down'

export type Fault =
  /** After so many bytes of this side the connection is gone, both ways: with a FIN, or with an RST. */
  | { readonly kind: 'cut'; readonly side: Direction; readonly at: number; readonly how: 'end' | 'reset' }
  /** Each piece comes later by so many ms, as drawn for it. */
  | { readonly kind: 'delay'; readonly side: Direction; readonly ms: () => number }
  /** After so many bytes nothing is read on or passed on, and nobody is told: for ever, or for so many ms. */
  | { readonly kind: 'stall'; readonly side: Direction; readonly at: number; readonly ms?: number }
  /** The connection is gone before the piece of the answer in which this text stands. */
  | { readonly kind: 'cut-before'; readonly text: string; readonly how: 'end' | 'reset' }
  /** After so many bytes this side ends with a FIN, and the other goes on. */
  | { readonly kind: 'half-close'; readonly side: Direction; readonly at: number }
  /** The request passes, its answer does not: instead of it the connection is gone, or nothing comes at all. */
  | { readonly kind: 'drop-reply'; readonly how: 'end' | 'reset' | 'silence' }
  /** The answer waits until it is let go: others that were asked later come first. */
  | { readonly kind: 'hold'; readonly until: Promise<void> }
  /** In single bytes, each in a packet of its own: one way, or both if nothing is said. */
  | { readonly kind: 'split'; readonly side?: Direction }
  /** Accepted, and no word comes back: what is said is read and thrown away, or not even read. */
  | { readonly kind: 'black-hole'; readonly reads: boolean }
  /** The request reaches the server twice, by two connections; the second answer is thrown away. */
  | { readonly kind: 'duplicate' }
  /** The proxy answers by itself, with a page of its own, and closes. The server hears nothing. */
  | { readonly kind: 'page'; readonly bytes: string }
  /** The answer is held back until the server has ended it. Of an upgrade: all but the answer to the handshake. */
  | { readonly kind: 'buffer' }

/** One request and its answer on a connection. Of an upgrade: everything until the connection closes. */
export interface Exchange {
  /** Counts from 1, over all connections of the proxy. */
  readonly number: number
  readonly method: string
  readonly path: string
  /** What the request is for, read off its path. */
  readonly asks: 'read' | 'publish' | 'session' | 'other'
  readonly upgrade: boolean
  /** Bytes that went through, by side. */
  readonly passed: Record<Direction, number>
}

const heads = /^(\S+) (\S+) HTTP\/1\.[01]\r\n/

/** Reads the head of a request, with the empty line at its end. */
export function parseExchange(head: string, number: number): { readonly exchange: Exchange; readonly bodyBytes: number } {
  const [, method = '', path = ''] = heads.exec(head) ?? []
  const route = path.split('?')[0] ?? ''
  const upgrade = /\r\nupgrade: /i.test(head)
  const bodyBytes = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0)
  return { exchange: { number, method, path, asks: purpose(method, route), upgrade, passed: { up: 0, down: 0 } }, bodyBytes }
}

function purpose(method: string, route: string): Exchange['asks'] {
  if (/\/(poll|long-poll|sse|websocket)$/.test(route)) return 'read'
  if (method === 'POST' && route.endsWith('/messages')) return 'publish'
  return route.endsWith('/session') ? 'session' : 'other'
}
