/** The transcripts of the protocol's README, replayed: what it shows is what goes over the wire. */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { transportNames } from '../../src/protocol/message.ts'
import { RawClient } from '../support/raw-client.ts'
import { startServer, type TestServer } from '../support/server.ts'

const readme = await readFile(new URL('../../src/protocol/README.md', import.meta.url), 'utf8')

interface Step {
  readonly from: 'client' | 'server'
  /** Bytes as latin1, placeholders in their brackets. */
  readonly text: string
}
interface Transcript {
  readonly name: string
  readonly steps: readonly Step[]
}

/** What a placeholder may stand for, by its name without the number. */
const spellings: Readonly<Record<string, string>> = {
  cookie: '[A-Za-z0-9_]+=[^; ]+',
  cursor: String.raw`[A-Za-z0-9_-]{12}\.\d+\.[A-Za-z0-9_-]{6}`,
  date: '[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT',
  length: '[0-9]+',
  member: 'm_[A-Za-z0-9_-]{12}',
  ms: '[0-9]+',
  retry: '[123][0-9]{3}',
  time: '[0-9]{13}',
  version: String.raw`[A-Za-z0-9_-]{12}\.\d+`,
  states: String.raw`[A-Za-z0-9_-]{12}\.\d+`,
}
const placeholder = /<([a-z]+)(-[0-9]+)?>/g

const transcripts: readonly Transcript[] = [...readme.matchAll(/^```http-transcript (\S+)\n(.*?)^```$/gms)].map(
  ([, name = '', block = '']) => {
    const steps: Step[] = []
    for (const line of block.trimEnd().split('\n')) {
      const from = line.startsWith('>') ? 'client' : 'server'
      const text = bytesOf(line.slice(2))
      const last = steps.at(-1)
      if (last?.from === from) steps[steps.length - 1] = { from, text: last.text + text }
      else steps.push({ from, text })
    }
    return { name, steps }
  },
)

function bytesOf(line: string): string {
  const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
  const [, hex, payload = ''] = /^\[([0-9a-f ]+)\] ?(.*)$/.exec(line) ?? []
  if (hex !== undefined) return Buffer.from(hex.replaceAll(' ', ''), 'hex').toString('latin1') + latin1(payload)
  const open = line.endsWith('\\')
  return latin1((open ? line.slice(0, -1) : `${line}\r\n`).replaceAll(String.raw`\n`, '\n'))
}

/** What the placeholders stand for, once they have been seen. The date is another one each time. */
const bound = new Map<string, string>()
const fill = (text: string): string => text.replace(placeholder, (name) => bound.get(name) ?? name)

async function expectBytes(client: RawClient, text: string): Promise<void> {
  const names: string[] = []
  const escaped = fill(text).replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
  const pattern = escaped.replace(placeholder, (name, kind: string) => {
    const before = names.indexOf(name)
    if (before !== -1 && kind !== 'date') return `\\${before + 1}`
    names.push(name)
    return `(${spellings[kind] ?? '(?!)'})`
  })
  const expected = new RegExp(`^${pattern}`, 's')
  const received = await client
    .take((bytes) => expected.exec(bytes.toString('latin1'))?.[0].length, 'the bytes of the transcript')
    .catch(() => client.unread)
  const match = expected.exec(received.toString('latin1'))
  if (match === null) expect(received.toString('latin1')).toBe(fill(text))
  for (const [index, name] of names.entries()) if (name !== '<date>') bound.set(name, match?.[index + 1] ?? '')
}

describe("the README's transcript", () => {
  let server: TestServer
  beforeAll(async () => {
    server = await startServer()
  })
  afterAll(() => server.close())

  test('is there for each transport', () => {
    expect(transcripts.map(({ name }) => name)).toEqual(['session', ...transportNames, 'members', 'states', 'problem'])
  })

  test.each(transcripts)('$name is what goes over the wire', async ({ steps }) => {
    const client = await RawClient.connect(server.port)
    for (const { from, text } of steps) {
      if (from === 'client') client.send(Buffer.from(fill(text), 'latin1'))
      else await expectBytes(client, text)
    }
    expect(client.unread.toString()).toBe('')
    client.destroy()
  })
})
