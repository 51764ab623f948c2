/** Requests that are nearly right, as bytes for a raw connection. */
import { cursorInput, escaped, versionInput } from './cursor-inputs.ts'
import { bodyFor } from './json-inputs.ts'
import { mutated } from './mutation.ts'
import type { Random } from './random.ts'

/** What of the running server an input may name. */
export interface Known {
  readonly host: string
  readonly cookie: string
  readonly cursors: readonly string[]
  readonly versions: readonly string[]
}

export interface HttpInput {
  readonly kind: string
  readonly bytes: Buffer
  /** What has two readings has none: one refusal, and the end of the connection. */
  readonly refused?: true
}

const methods = [
  'GET',
  'POST',
  'PUT',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'TRACE',
  'CONNECT',
  'PROPFIND',
  'BREW',
  'get',
  'G',
  '',
  'GET\t',
  'PRI',
  'QUERY',
  'M-SEARCH',
]
const versions = ['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'http/1.1', 'HTTP/1', '', 'RTSP/1.0', 'ICE/1.0']
/** Other protocols' of the same spelling (RFC 7826, RFC 9113), which Node's parser takes with a version that is not HTTP's, or with none. */
const foreignMethods = ['DESCRIBE', 'SETUP', 'PLAY', 'FLUSH', 'PRI', 'SOURCE']
const rooms = [
  'r0',
  'r1',
  'r2',
  'a',
  'A.b_c~d-e',
  'x'.repeat(64),
  'x'.repeat(65),
  '',
  '.',
  '..',
  '%2e%2e',
  '%00',
  'a%0d%0ax-injected:1',
  '%ff',
  '%',
  '%zz',
  '__proto__',
  'constructor',
  'é',
  'a b',
  'x'.repeat(1900),
  'race-',
  '..%2f..%2fetc',
]
const places = ['poll', 'long-poll', 'sse', 'websocket', 'messages', 'members', 'lease', 'state', '', 'Poll', 'poll/', '%70oll']
const others = [
  '/',
  '/index.html',
  '/race',
  '/session',
  '/healthz',
  '/readyz',
  '/metrics',
  '/lab',
  '/lab/events',
  '/lab/presenter',
  '/lab/freeze',
  '/lab/hall',
  '/J/r0',
  '/j/%00',
  '/assets/',
  '/assets/index.js',
  '/../../etc/passwd',
  '/%2e%2e/%2e%2e/package.json',
  '/.git/config',
  '/index.html%00.js',
  '*',
  'http://evil.example/',
  'http://[',
  '//',
  '/\\',
  '/?',
  '/#',
  '/rooms',
  '/rooms/r0',
]
const queryKeys = [
  'since',
  'limit',
  'wait',
  'every',
  'members',
  'states',
  '__proto__',
  'constructor',
  'x',
  '',
  'since[]',
  'a[b]',
  'toString',
  '%00',
  'SINCE',
]
const numbers = ['0', '1', '500', '501', '-1', '1e3', '0x10', 'NaN', '', '25.5', '01', '99999999999999999999', '٣', '+1', ' 1']
const names = [
  'accept',
  'accept-encoding',
  'authorization',
  'connection',
  'content-encoding',
  'content-type',
  'cookie',
  'expect',
  'if-modified-since',
  'if-none-match',
  'last-event-id',
  'origin',
  'range',
  'referer',
  'sec-fetch-mode',
  'sec-fetch-site',
  'sec-websocket-key',
  'sec-websocket-version',
  'te',
  'trailer',
  'upgrade',
  'via',
  'x',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-http-method-override',
  '__proto__',
  'x y',
  '',
  'é',
  'host',
]
const headerValues = [
  '',
  ' ',
  'x',
  '*/*',
  'text/event-stream',
  'text/event-stream;q=0',
  'text/*;q=x',
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset="',
  'text/plain',
  'close',
  'keep-alive',
  'Upgrade',
  'upgrade, close',
  'websocket',
  'h2c',
  '13',
  '8',
  'gzip',
  '100-continue',
  '200-ok',
  'Bearer x',
  'Basic Og==',
  'bytes=0-',
  'bytes=5-1',
  '"x"',
  'null',
  'http://evil.example',
  'https://',
  '127.0.0.1',
  '127.0.0.1, evil',
  '[::1]:99999',
  'localhost:',
  'cross-site',
  'dGhlIHNhbXBsZSBub25jZQ==',
  'fourwires=',
  'fourwires=%00',
  'fourwires=m_AAAAAAAAAAAA.QW5u.AAAA',
  'a=b; '.repeat(200),
  'x'.repeat(8000),
  'x'.repeat(17_000),
  '\x80\xff',
  'a\tb',
]

function query(random: Random, known: Known): string {
  if (random.chance(0.3)) return ''
  const value = (): string => {
    const text = random.pick([
      () => cursorInput(random, known.cursors),
      () => versionInput(random, known.versions),
      () => random.pick(numbers),
    ])()
    return random.chance(0.7) ? escaped(text) : text
  }
  return `?${random.many(random.from(1, 4), () => random.pick(queryKeys) + (random.chance(0.9) ? `=${value()}` : '')).join(random.pick(['&', '&', '&&', ';']))}`
}

function target(random: Random, known: Known): string {
  if (random.chance(0.2)) return random.pick(others) + (random.chance(0.1) ? 'x'.repeat(3000) : '')
  return `/rooms/${random.chance(0.6) ? random.pick(['r0', 'r1', 'r2']) : random.pick(rooms)}/${random.pick(places)}${query(random, known)}`
}

const line = (name: string, value: string): string => `${name}: ${value}\r\n`

/** The lines that an ordinary client sends, most of them; and some that it does not. */
function headers(random: Random, known: Known, own: Readonly<Record<string, string>> = {}): string {
  const ordinary = random.chance(0.95) ? line('host', random.chance(0.95) ? known.host : random.pick(headerValues)) : ''
  const member = random.chance(0.8) ? line('cookie', known.cookie) : ''
  const said = Object.entries(own).map(([name, value]) => line(name, value))
  const more = random.many(random.chance(0.7) ? 0 : random.from(1, 5), () => line(random.pick(names), random.pick(headerValues)))
  return ordinary + member + said.join('') + more.join('')
}

const upgrade = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

/** A request without a body, each part right or wrong by itself. */
function question(random: Random, known: Known): Buffer {
  const foreign = random.chance(0.02)
  const method = foreign ? random.pick(foreignMethods) : random.chance(0.75) ? 'GET' : random.pick(methods)
  const version = foreign ? random.pick(['RTSP/1.0', '']) : random.chance(0.93) ? 'HTTP/1.1' : random.pick(versions)
  const own = random.chance(0.1) ? upgrade : random.chance(0.2) ? { 'last-event-id': cursorInput(random, known.cursors) } : {}
  return Buffer.from(
    `${method} ${target(random, known)} ${version}\r\n${headers(random, known, own as Record<string, string>)}\r\n`,
    random.chance(0.8) ? 'latin1' : 'utf8',
  )
}

const writes = [
  ['POST', '/session'],
  ['DELETE', '/session'],
  ['POST', '/rooms/r0/messages'],
  ['POST', '/rooms/r1/messages'],
  ['PUT', '/rooms/r0/state'],
  ['POST', '/rooms/r0/lease'],
  ['POST', '/lab/freeze'],
  ['PATCH', '/lab/hall'],
] as const

interface Write {
  readonly method: string
  readonly path: string
  readonly framing: Readonly<Record<string, string>>
}

function bodied(random: Random, known: Known, { method, path, framing }: Write, body: Buffer): Buffer {
  const type = random.chance(0.95) ? { 'content-type': 'application/json' } : {}
  return Buffer.concat([
    Buffer.from(`${method} ${path} HTTP/1.1\r\n${headers(random, known, { ...type, ...framing })}\r\n`, 'latin1'),
    body,
  ])
}

function withBody(random: Random, known: Known): Buffer {
  const [method, path] = random.pick(writes)
  const body = bodyFor(path, random)
  const length = random.chance(0.95) ? body.length : random.pick([0, body.length + 1, body.length - 1, 32_769, 2 ** 31, 2 ** 53])
  return bodied(random, known, { method, path, framing: { 'content-length': String(length) } }, body)
}

const sizes = [
  '0',
  '1',
  '00000005',
  '5;x=y',
  '5 ',
  ' 5',
  '-1',
  'zz',
  '',
  '0x5',
  'ffffffff',
  'ffffffffffffffffff',
  '5;x="\r\n"',
  '5\r',
  '1000',
]
const ends = ['0\r\n\r\n', '0\r\nx: y\r\n\r\n', '0\r\ncontent-length: 5\r\n\r\n', '0\n\n', '00\r\n\r\n', '', '0\r\n', '0\r\nx y\r\n\r\n']

/** Chunks: of their right size or of another, and one of many ends. */
function chunked(random: Random, known: Known): Buffer {
  const [method, path] = random.pick(writes)
  const right = (piece: Buffer): string => piece.length.toString(16)
  const chunks = random.many(random.from(0, 4), () => {
    const piece = random.chance(0.5) ? bodyFor(path, random) : random.bytes(random.below(20))
    const size = random.chance(0.8) ? right(piece) : random.pick(sizes)
    return Buffer.concat([Buffer.from(`${size}\r\n`), piece, Buffer.from(random.chance(0.9) ? '\r\n' : random.pick(['', '\n', 'x\r\n']))])
  })
  return bodied(
    random,
    known,
    { method, path, framing: { 'transfer-encoding': 'chunked' } },
    Buffer.concat([...chunks, Buffer.from(random.pick(ends))]),
  )
}

const twoReadings: readonly (readonly string[])[] = [
  ['content-length: 6', 'transfer-encoding: chunked'],
  ['transfer-encoding: chunked', 'content-length: 6'],
  ['content-length: 6', 'content-length: 7'],
  ['content-length: 6, 7'],
  ['content-length: +6'],
  ['content-length: 6 6'],
  ['content-length: 0x6'],
  ['content-length : 6'],
  ['transfer-encoding: identity'],
  ['transfer-encoding: chunked, identity'],
  ['transfer-encoding: xchunked'],
  ['transfer-encoding : chunked'],
  ['transfer-encoding: chunked', 'transfer-encoding: identity'],
  ['transfer-encoding:\x0bchunked'],
  ['x: y\rtransfer-encoding: chunked'],
  ['x: y\ncontent-length: 6'],
]

/** A body that is one request to one reader and another to the next, with a request within it. */
function smuggling(random: Random, known: Known): Buffer {
  const framing = random
    .pick(twoReadings)
    .map((each) => (random.chance(0.5) ? each : each.replace(/^[a-z-]+/, (name) => name.toUpperCase())))
  const within = `GET /healthz HTTP/1.1\r\nhost: ${known.host}\r\n\r\n`
  const head = [`POST /session HTTP/1.1`, `host: ${known.host}`, 'content-type: application/json', ...framing]
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n0\r\n\r\n${random.chance(0.5) ? 'X' : ''}${within}`, 'latin1')
}

/** The HTTP input of this number. */
export function httpInput(random: Random, known: Known): HttpInput {
  const kinds: readonly (readonly [kind: string, make: () => Buffer])[] = [
    ['question', () => question(random, known)],
    ['question', () => question(random, known)],
    ['question', () => question(random, known)],
    ['body', () => withBody(random, known)],
    ['body', () => withBody(random, known)],
    ['chunked', () => chunked(random, known)],
    ['mutated', () => mutated(random.chance(0.5) ? question(random, known) : withBody(random, known), random)],
    ['mutated', () => mutated(random.chance(0.5) ? question(random, known) : withBody(random, known), random)],
    [
      'pipeline',
      () => Buffer.concat(random.many(random.from(2, 6), () => (random.chance(0.8) ? question(random, known) : withBody(random, known)))),
    ],
    ['smuggling', () => smuggling(random, known)],
    ['garbage', () => random.bytes(random.below(200))],
  ]
  const [kind, make] = random.pick(kinds)
  return { kind, bytes: make(), ...(kind === 'smuggling' && { refused: true }) }
}
