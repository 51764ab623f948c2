/** One table of problems: code → HTTP status, WebSocket close code, come back or not, remedy. */

interface Row {
  readonly status: number
  /** What to do about it, for the person who reads it. */
  readonly remedy: string
  /** True where the same request may succeed later: a client comes back by itself. */
  readonly comeBack: boolean
  /** The WebSocket close code that says the same. 4000–4499 and 1012, 1013 come back, 4500–4999 do not. */
  readonly close?: number
}

const row = (status: number, remedy: string, close?: number): Row => ({
  status,
  remedy,
  comeBack: status === 408 || status === 429 || status === 503,
  ...(close !== undefined && { close }),
})

export const problems = {
  'invalid-request': row(400, 'Send each known parameter at most once, in its range, and no other.', 4500),
  'invalid-json': row(400, 'Send one JSON object, each key once.'),
  'invalid-utf8': row(400, 'Encode the body as UTF-8.'),
  'invalid-cursor': row(400, 'Send the cursor of your last batch unchanged, or "earliest", or none.', 4500),
  'invalid-room': row(400, 'Use 1 to 64 letters, digits and . _ ~ - without spaces, a letter or digit first.', 4504),
  'bad-host': row(400, 'Use an address of this machine, or start the server with --allow-host for this name.'),
  'session-required': row(401, 'POST /session first, and send its cookie along.'),
  'origin-denied': row(403, 'Open the page from this server, or start the server with --allow-origin for the other one.'),
  forbidden: row(403, 'Ask whoever runs this server for access to the room.', 4501),
  'presenter-only': row(403, 'Send the key that the server printed at its start as Authorization: Bearer.'),
  muted: row(403, 'Keep the text and send it once the presenter lets everybody speak again.'),
  'not-found': row(404, 'See the list of routes in the README.'),
  'method-not-allowed': row(405, 'Use a method of the Allow header.'),
  'not-acceptable': row(406, 'Accept text/event-stream, or use another transport.'),
  'request-timeout': row(408, 'Send the whole request within its time, then try again.'),
  'body-too-large': row(413, 'Send at most 32 KiB.'),
  'uri-too-long': row(414, 'Send at most 2 KiB of path and query.'),
  'unsupported-media-type': row(415, 'Send content-type: application/json in UTF-8.'),
  'expectation-failed': row(417, 'Expect nothing but 100-continue.'),
  'invalid-message': row(422, 'Change the text, id or name and send it again.'),
  'idempotency-mismatch': row(422, 'Give a new text a new id.'),
  'upgrade-required': row(426, 'Open this address as a WebSocket (HTTP/1.1, version 13).'),
  'rate-limited': row(429, 'Wait as long as it says, then send the same message again.', 4429),
  'headers-too-large': row(431, 'Send at most 16 KiB of headers.'),
  internal: row(500, 'Try again later; the fault is in the server and has been logged.', 1011),
  overloaded: row(503, 'Wait as long as it says, then try again.', 1013),
  draining: row(503, 'Come back after the time that it says: it stops, or another takes over.', 1012),
  'store-unavailable': row(503, 'Wait as long as it says, then send the same id again: it is not taken twice.', 4503),
  'room-limit': row(503, 'Use a room that exists, or wait as long as it says.', 1013),
} as const satisfies Record<string, Row>

export type ProblemCode = keyof typeof problems

/** The code is its title, too: RFC 9457's title says the same for every occurrence. */
export const titleOf = (code: ProblemCode): string => code.charAt(0).toUpperCase() + code.slice(1).replaceAll('-', ' ')

/** A problem as it travels: RFC 9457's members and ours. `outcome: "unknown"`: it may have happened all the same. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ProblemCode
  readonly detail: string
  readonly retryAfterMs?: number
  readonly outcome?: 'unknown'
}

export interface ProblemExtra {
  readonly retryAfterMs?: number
  readonly outcome?: 'unknown'
}

/** A refusal that says what to do about it. Thrown at the gates, answered at the edges, and thrown again by the client. */
export class Problem extends Error {
  readonly code: ProblemCode
  readonly retryAfterMs: number | undefined
  readonly outcome: 'unknown' | undefined

  constructor(code: ProblemCode, detail?: string, extra: ProblemExtra = {}) {
    super(detail ?? problems[code].remedy)
    this.name = 'Problem'
    this.code = code
    this.retryAfterMs = extra.retryAfterMs
    this.outcome = extra.outcome
  }

  get status(): number {
    return problems[this.code].status
  }

  /** True where trying again later may help. */
  get comeBack(): boolean {
    return problems[this.code].comeBack
  }

  toJSON(): ProblemBody {
    return {
      type: `urn:problem-type:fourwires:${this.code}`,
      title: titleOf(this.code),
      status: this.status,
      code: this.code,
      detail: this.message,
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.outcome !== undefined && { outcome: this.outcome }),
    }
  }

  /** The problem that a peer sent, or undefined where the value is none of ours (a proxy's page, say). */
  static from(value: unknown): Problem | undefined {
    const body = value as Partial<ProblemBody> | null
    if (typeof body !== 'object' || body === null || typeof body.code !== 'string') return undefined
    if (!Object.hasOwn(problems, body.code)) return undefined
    return new Problem(body.code, typeof body.detail === 'string' ? body.detail : undefined, {
      ...(typeof body.retryAfterMs === 'number' && { retryAfterMs: body.retryAfterMs }),
      ...(body.outcome === 'unknown' && { outcome: body.outcome }),
    })
  }
}
