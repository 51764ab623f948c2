/** The proof that a server speaks WebSocket, step by step (RFC 6455, 4.2.2). Without `crypto.subtle`, which a phone on plain http has not. */
import { sha1 } from '@noble/hashes/legacy.js'
import type { WireBlock, WireConnection } from './wire-model.ts'

/** The same for everybody, and known to nobody who does not know the protocol (RFC 6455, 1.3). */
export const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export interface AcceptSteps {
  /** The key as the client sent it, with the GUID behind it: the text is hashed, not the bytes that it stands for. */
  readonly joined: string
  /** 20 bytes. */
  readonly digest: Uint8Array
  /** What `Sec-WebSocket-Accept` has to say: 28 characters. */
  readonly accept: string
}

export function acceptSteps(key: string): AcceptSteps {
  const joined = key + guid
  const digest = sha1(new TextEncoder().encode(joined))
  return { joined, digest, accept: btoa(String.fromCharCode(...digest)) }
}

/** Question and answer of an upgrade, as far as they were seen. */
export interface Handshake {
  readonly asked: WireBlock | undefined
  readonly answered: WireBlock | undefined
}

/** The handshake that a block belongs to; undefined where it is no part of one. */
export function handshakeOf({ blocks }: WireConnection, { what, exchange }: WireBlock): Handshake | undefined {
  if (what !== 'handshake') return undefined
  const find = (direction: WireBlock['direction']): WireBlock | undefined =>
    blocks.find((each) => each.what === what && each.exchange === exchange && each.direction === direction)
  return { asked: find('up'), answered: find('down') }
}

/** The value of a header in the bytes of a head; undefined where it is not there. */
export function headerIn(head: Uint8Array, name: string): string | undefined {
  const text = new TextDecoder('latin1').decode(head)
  const [, value] = new RegExp(`^${name}:[ \\t]*(.*?)[ \\t]*$`, 'im').exec(text) ?? []
  return value
}
