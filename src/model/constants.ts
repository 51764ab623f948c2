/** What heads, batches and frames weigh, in bytes of application data on the socket (TCP and IP are `segment`). */

/**
 * The weights that differ between clients and servers. `measured` has ours; the bench replaces what it finds.
 * A head's own lengths (`Content-Length`, a chunk's size) are left out of it and counted with the body.
 */
export interface Constants {
  /** Hq: the head of a GET for one batch, cookie and cursor included. */
  readonly requestHead: number
  /** The same of a long poll: its address is another. */
  readonly longPollHead: number
  /** Hs: the head of its 200, blank line included, without the digits of Content-Length. */
  readonly responseHead: number
  /** e: `{"messages":[],"cursor":"…"}`, what every batch weighs before its messages. */
  readonly emptyBatch: number
  /** An event and its chunk around the batch, `\r\nid: …\ndata: ` and `\n\n\r\n`, without the chunk's hexadecimal digits. */
  readonly eventFraming: number
  /** Pq: the head of a POST that publishes. */
  readonly postHead: number
  /** Ps: the whole answer to it, `ack` included. */
  readonly postAnswer: number
  /** `{"id":"…","seq":…,"cursor":"…","duplicate":false}`. */
  readonly ack: number
  /** h: the heads of IPv4 and TCP with timestamps (RFC 791, RFC 9293, RFC 7323), per segment. */
  readonly segment: number
}

/** `epoch.seq.tag` with a seq of four digits. */
const cursor = 24
const ack = 38 + cursor + 'AAAAAAAAAAAA'.length + '1234'.length + 8

/**
 * This server and this client's `fetch` in Node 20: a signed-in member of the room `bench` that polls every second, ids of
 * 12 characters. `test/model/constants.test.ts` holds what the server writes to it.
 */
export const measured: Constants = {
  requestHead: 341 + cursor,
  longPollHead: 343 + cursor,
  responseHead: 194,
  emptyBatch: 27 + cursor,
  eventFraming: 17 + cursor,
  postHead: 337,
  postAnswer: 201 + ack,
  ack,
  segment: 52,
}

/** A request and its answer, each in one segment, and an acknowledgement of its own: measured with `ss -ti`, spaced requests. */
export const exchangeSegments = 3
/** What is pushed, and its acknowledgement. */
export const pushSegments = 2

/** A ping without payload, server to client, and its masked pong (RFC 6455, 5.5). */
export const ping = 2
export const pong = 6
/** The masking key of every frame from a client (RFC 6455, 5.3). */
export const mask = 4
/** The head of an unmasked frame around so many bytes: 2, 4 or 10 (RFC 6455, 5.2). */
export const frameHead = (bytes: number): number => (bytes < 126 ? 2 : bytes < 65_536 ? 4 : 10)

/** A batch of k messages of `payload` bytes: e + k p, and a comma between any two. k may be a mean. */
export const batchBytes = (count: number, payload: number, { emptyBatch }: Constants): number =>
  emptyBatch + count * payload + Math.max(0, count - 1)

/** A batch of so many bytes as the answer to a request. */
export const answerBytes = (batch: number, { responseHead }: Constants): number => responseHead + digits(batch, 10) + batch

/** As one server-sent event in one chunk (WHATWG HTML 9.2; RFC 9112, 7.1): the chunk's size counts the event alone. */
export const eventBytes = (batch: number, { eventFraming }: Constants): number =>
  digits(batch + eventFraming - 4, 16) + eventFraming + batch

/** As one WebSocket frame from the server. */
export const frameBytes = (batch: number): number => frameHead(batch) + batch

const digits = (count: number, radix: number): number => Math.round(count).toString(radix).length
