/** A browser that holds all of its six connections to one address, in a real Chromium: it is said, and it goes on. */
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { FourwiresRoom } from '../../src/page/fourwires-room.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { startServer, type TestServer } from '../support/server.ts'

let browser: Browser
let server: TestServer

beforeAll(async () => {
  ;[browser, server] = await Promise.all([launch(), startServer({ lab: true, publishesPerSecond: 0 })])
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

/** Holds so many streams from a page of the same browser that has nothing else to do. */
async function hold(room: RoomPage, streams: number): Promise<Page> {
  const page = await room.page.context().newPage()
  await page.goto(`${server.url}/favicon.svg`)
  await page.evaluate(
    ([url, count]) =>
      Promise.all(
        Array.from(
          { length: count },
          () =>
            new Promise((resolve) => {
              const source = new EventSource(`${url}/rooms/elsewhere/sse`)
              source.onmessage = resolve
              ;((globalThis as unknown as { held: EventSource[] }).held ??= []).push(source)
            }),
        ),
      ),
    [server.url, streams] as const,
  )
  return page
}

const lab = ({ page }: RoomPage): Promise<unknown> =>
  page.waitForFunction(() => (document.querySelector('fourwires-room') as FourwiresRoom).lab.clock !== undefined)

it.concurrent('says why a stream does not open, goes over to WebSocket, and keeps what is typed', async () => {
  await using ann = await RoomPage.open(browser, server.url, 'room=stream&t=websocket')
  await lab(ann)
  await hold(ann, 6)
  await ann.box.fill('half a sen')
  await ann.press('3')
  const pressed = performance.now()
  const notice = ann.page.getByTestId('slot-notice')
  await notice.getByText('this one holds all 6').waitFor()
  console.log(`said after ${(performance.now() - pressed).toFixed(0)} ms`)
  expect(await notice.innerText()).toContain('SSE here waits for a connection')
  await ann.live('websocket')
  expect(new URL(ann.page.url()).search).toContain('t=websocket')
  expect(await ann.box.inputValue()).toBe('half a sen')
  await ann.say('a whole sentence')
  await ann.hears('a whole sentence', 'websocket')
  expect((await ann.counts()).gaps).toBe(0)
})

it.concurrent('says why a message does not leave, and sends it over WebSocket', async () => {
  await using ann = await RoomPage.open(browser, server.url, 'room=message&t=sse')
  await lab(ann)
  await hold(ann, 5)
  await ann.say('stuck in the queue')
  await ann.page.getByTestId('slot-notice').waitFor()
  await ann.hears('stuck in the queue')
  await ann.live('websocket')
  expect(await ann.counts()).toMatchObject({ delivered: 1, gaps: 0 })
})

it(
  'has the tab that would hold the last connection give way, so that the next can load and all can send',
  { timeout: 40_000 },
  async () => {
    await using ann = await RoomPage.open(browser, server.url, 'room=lobby&t=sse')
    const tabs: Page[] = [ann.page]
    for (let index = 1; index < 7; index++) {
      const page = await ann.page.context().newPage()
      await page.goto(`${server.url}/?room=lobby&t=sse`)
      await page.waitForSelector('html[data-ready]')
      tabs.push(page)
    }
    for (const page of tabs.slice(5)) {
      await page.getByTestId('slot-notice').getByText('5 of them in other tabs of this page (5 × SSE in lobby)').waitFor()
      await page.getByTestId('slot-notice').getByText('With SSE this tab held the last').waitFor()
      await page.waitForFunction(() => (document.querySelector('fourwires-room') as FourwiresRoom).channel?.state.transport === 'websocket')
    }
    for (const page of tabs.slice(0, 5)) expect(await page.getByTestId('slot-notice').count()).toBe(0)
    await ann.say('five streams, and still one connection left')
    for (const page of tabs) await page.locator('li[data-seq]').filter({ hasText: 'still one connection left' }).waitFor()
  },
)

it.concurrent('begins by the cookie that it has where even the question who it is gets no connection', async () => {
  await using ann = await RoomPage.open(browser, server.url, 'room=cookie&t=websocket')
  await hold(ann, 5)
  const page = await ann.page.context().newPage()
  // The sixth stream is opened by the page itself, in the moment in which it has loaded and asks who it is.
  await page.addInitScript((url) => {
    const asked = globalThis.fetch
    globalThis.fetch = (input, init) => {
      if (String(input).endsWith('/session'))
        (globalThis as unknown as { held: EventSource }).held = new EventSource(`${url}/rooms/elsewhere/sse`)
      globalThis.fetch = asked
      return asked(input, init)
    }
  }, server.url)
  await page.goto(`${server.url}/?room=cookie&t=sse`)
  await page.getByTestId('slot-notice').getByText('this one holds all 6').waitFor({ timeout: 5_000 })
  await page.waitForSelector('html[data-ready]')
  await page.getByTestId('composer').locator('textarea').fill('here all the same')
  await page.getByTestId('composer').locator('textarea').press('Enter')
  await ann.hears('here all the same')
})

it.concurrent('says nothing where a server is slow and connections are left', async () => {
  await using ann = await RoomPage.open(browser, server.url, 'room=slow&t=websocket')
  await lab(ann)
  await hold(ann, 3)
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  await ann.page.route('**/rooms/slow/sse*', async (route) => {
    await released
    await route.continue()
  })
  await ann.press('3')
  // Longer than it takes to be certain.
  await ann.page.waitForTimeout(2_200)
  release()
  await ann.live('sse')
  expect(await ann.page.getByTestId('slot-notice').count()).toBe(0)
})
