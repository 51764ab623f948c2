/** How a server is spoken to: the paths, heads and payloads in which Fourwires and its peers differ. */
import type { TransportName } from '../../src/protocol/message.ts'
import type { Head } from '../connection.ts'

/** Where a subscriber stands, and how it asks. */
export interface Place {
  readonly room: string
  /** What the last answer gave to go on from; undefined for who has joined just now. */
  readonly cursor: string | undefined
  /** Long poll: how long the server may hold the question, in s. */
  readonly holdSeconds: number
  /** Poll without a cursor, for the newest message alone: a store of latest values. */
  readonly latest: boolean
}

export interface Request {
  readonly path: string
  /** Header lines, without line ends. */
  readonly headers?: readonly string[]
}

/** What a payload says. */
export interface Heard {
  readonly texts: readonly string[]
  readonly cursor?: string
  /** What the protocol wants to be said now: a frame up a socket, or the body of a POST to `replyTo`. */
  readonly reply?: string
  /** False: it is not let in yet. */
  readonly joined?: boolean
  /** There is more: ask again at once. */
  readonly more?: boolean
}

export interface Dialect {
  /** The wires that the server has. */
  readonly wires: readonly TransportName[]
  /**
   * From when on a reader misses nothing: once it is connected, where its question says from where it reads; with the head of
   * the answer; or once it has heard something that does not say otherwise.
   */
  joins(wire: TransportName): 'connected' | 'head' | 'heard'
  subscribe(wire: TransportName, place: Place): Request
  read(payload: Buffer, head: Head): Heard
  publish(room: string, id: string, text: string): Request & { readonly body: string }
  /** What makes somebody a member who may publish, where the server wants that; its Set-Cookie is sent along from then on. */
  readonly enter?: Request & { readonly body: string }
  /** Where a reply goes on a wire of requests. */
  replyTo?(cursor: string): string
}
