/** What clients send with every question: nothing more than needed, what Node's fetch sends, what a Chromium sends. */
import { readFileSync } from 'node:fs'
import type { TransportName } from '../src/protocol/message.ts'

export const headerSets = ['minimal', 'fetch', 'chromium'] as const
/** `minimal` is Host alone; the others were captured from the sockets of real clients (`capture.ts`). */
export type HeaderSet = (typeof headerSets)[number]

/** Header lines by wire, in their order; `{host}` stands for the server's. */
export type Captured = { readonly client: string } & Readonly<Record<TransportName, readonly string[]>>

export const captured = JSON.parse(readFileSync(new URL('headers.json', import.meta.url), 'utf8')) as Readonly<
  Record<Exclude<HeaderSet, 'minimal'>, Captured>
>

/** Header lines in the order of the wire, Host and Cookie left out, as they are sent to `host`. */
export const headerLines = (set: HeaderSet, wire: TransportName, host: string): readonly string[] =>
  set === 'minimal' ? [] : captured[set][wire].map((line) => line.replaceAll('{host}', host))

/** A handshake with nothing more than RFC 6455, 4.1 asks for. */
export const upgradeLines = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
] as const
