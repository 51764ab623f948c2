/** An unmodified EventSource and WebSocket, in Chromium, against the wires. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { launch } from '../support/browser.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

let browser: Browser
let page: Page
let server: TestServer

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())
beforeEach(async () => {
  page = await browser.newPage()
})
afterEach(async () => {
  await page.close()
  await server.close()
})

it('lets an EventSource resume by itself, by its Last-Event-ID, when a stream has ended', async () => {
  server = await startServer({ streamMs: 700, retryMs: 100 })
  const { cookie } = await member(server.url)
  await page.goto(server.url)
  const seqs = page.evaluate(
    () =>
      new Promise<{ seqs: number[]; opened: number }>((resolve) => {
        const source = new EventSource('/rooms/native/sse')
        const seen: number[] = []
        let opened = 0
        source.onopen = () => opened++
        source.onmessage = ({ data }) => {
          for (const { seq } of (JSON.parse(data) as { messages: { seq: number }[] }).messages) seen.push(seq)
          if (seen.length >= 20 && opened >= 3) {
            source.close()
            resolve({ seqs: seen, opened })
          }
        }
      }),
  )
  const enough = new AbortController()
  void seqs.finally(() => enough.abort())
  let published = 0
  while (!enough.signal.aborted) {
    await post(server.url, 'native', cookie, { text: `message ${published++}` })
    // A pace, not a wait: the messages are to fall into several streams.
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const seen = await seqs
  expect(seen.opened).toBeGreaterThanOrEqual(3)
  expect(seen.seqs).toEqual(Array.from({ length: seen.seqs.length }, (_, index) => index + 1))
})

it('tells an EventSource of a temporary refusal so that it comes back by itself', async () => {
  server = await startServer({ roomsPerMinute: 1 })
  await page.goto(server.url)
  const told = await page.evaluate(async () => {
    await fetch('/rooms/first/poll')
    return new Promise<{ code: string; readyState: number }>((resolve) => {
      const source = new EventSource('/rooms/second/sse')
      source.addEventListener('problem', (event) => {
        const { code } = JSON.parse((event as MessageEvent<string>).data) as { code: string }
        source.onerror = () => resolve({ code, readyState: source.readyState })
      })
    })
  })
  // 0: it will connect again. After any status but 200 it would be 2, for good.
  expect(told).toEqual({ code: 'room-limit', readyState: 0 })
})

it('stops an EventSource for good where no waiting would let it in', async () => {
  let asked = 0
  server = await startServer({ streamMs: 300, retryMs: 100, authorize: (_member, room) => room !== 'closed' || ++asked === 0 })
  await page.goto(server.url)
  const told = await page.evaluate(async () => {
    const source = new EventSource('/rooms/closed/sse')
    const readyState = await new Promise((resolve) => {
      source.onerror = () => resolve(source.readyState)
    })
    // Another one opens, ends and comes back meanwhile: so long a time that this one would have come back in.
    const other = new EventSource('/rooms/open/sse')
    let opened = 0
    await new Promise<void>((resolve) => {
      other.onopen = () => {
        if (++opened === 2) resolve()
      }
    })
    other.close()
    return { readyState, later: source.readyState }
  })
  expect(told).toEqual({ readyState: 2, later: 2 })
  expect(asked).toBe(1)
})

it('tells a WebSocket why it was closed', async () => {
  server = await startServer()
  await page.goto(server.url)
  const closed = await page.evaluate(
    () =>
      new Promise<{ code: number; reason: string; wasClean: boolean }>((resolve) => {
        const socket = new WebSocket(`ws://${location.host}/rooms/-bad-/websocket`)
        socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })
      }),
  )
  expect(closed).toEqual({ code: 4504, reason: '{"code":"invalid-room"}', wasClean: true })
})
