/** What tests say of answers: the same head each time, a problem of the table and nothing more. */
import { expect } from 'vitest'
import { problems, type ProblemCode, titleOf } from '../../src/protocol/problem.ts'
import type { RawHead, RawResponse } from './raw-client.ts'

/** A head as text, its date masked: what is left is the same each time. */
export const masked = ({ text }: RawHead): string => text.replace(/^date: .*$/im, 'Date: <date>')

/** The head's lines, joined as they travel. */
export const lines = (...all: readonly string[]): string => all.map((line) => `${line}\r\n`).join('')

const kept = ['Connection: keep-alive', 'Keep-Alive: timeout=72'] as const

/** The head of a 200 with JSON of so many bytes, on a connection that is kept if nothing else is said. */
export const jsonHead = (length: number, status = '200 OK', connection: readonly string[] = kept): string =>
  lines(
    `HTTP/1.1 ${status}`,
    'cache-control: no-store',
    'content-type: application/json; charset=utf-8',
    `content-length: ${length}`,
    'Date: <date>',
    ...connection,
    '',
  )

/** The spelling of a cursor. */
export const cursorSpelling = /^[A-Za-z0-9_-]{12}\.(0|[1-9][0-9]{0,14})\.[A-Za-z0-9_-]{6}$/

const known = new Set(['type', 'title', 'status', 'code', 'detail', 'retryAfterMs', 'outcome'])

/** This answer is this problem: its row, its media type, and nothing of the inside of the server. */
export function expectProblem(answer: RawResponse, code: ProblemCode): Record<string, unknown> {
  const text = answer.body.toString()
  expect(`${answer.status} ${text}`).toContain(`"code":"${code}"`)
  const { status } = problems[code]
  expect(answer.status).toBe(status)
  expect(answer.header('content-type')).toBe('application/problem+json; charset=utf-8')
  return expectBody(JSON.parse(text) as Record<string, unknown>, { code, status, title: titleOf(code) })
}

function expectBody(body: Record<string, unknown>, row: { code: string; status: number; title: string }): Record<string, unknown> {
  expect(body).toMatchObject({ ...row, type: `urn:problem-type:fourwires:${row.code}` })
  expect(body['detail']).toBeTypeOf('string')
  expect(Object.keys(body).filter((key) => !known.has(key))).toEqual([])
  const text = JSON.stringify(body)
  expect(text.length).toBeLessThan(600)
  expect(text).not.toMatch(/stack|node_modules|\.ts\b|\.js\b|FST_|Error:|\/src\//)
  return body
}

/** A problem that says when to come back: the header in whole seconds, rounded up from the body's ms. */
export function expectRetry(answer: RawResponse, code: ProblemCode): Record<string, unknown> {
  const body = expectProblem(answer, code)
  const ms = body['retryAfterMs'] as number
  expect(ms).toBeGreaterThan(0)
  expect(answer.header('retry-after')).toBe(String(Math.ceil(ms / 1000)))
  return body
}

/** Asks until it holds, every few ms, for a few seconds at the most. */
export async function eventually(check: () => boolean | Promise<boolean>, what: string, patienceMs = 5_000): Promise<void> {
  const tooLate = performance.now() + patienceMs
  while (!(await check())) {
    if (performance.now() > tooLate) throw new Error(`it never came to this: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The value of a metric, as `/metrics` tells it. */
export async function metric(url: string, name: string): Promise<number> {
  const answer = await fetch(`${url}/metrics`)
  const text = await answer.text()
  // On a connection that was opened for a request that was given up before it was sent, and whose time is over: ask again.
  if (answer.status === 408) return metric(url, name)
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  if (line === undefined) throw new Error(`no metric ${name}: ${answer.status} ${text.slice(0, 200)}`)
  return Number(line.slice(name.length + 1))
}
