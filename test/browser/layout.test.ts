/** Where things stand, for everybody: views, keys, sizes, and what axe objects to, in a real Chromium. */
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { views } from '../../src/page/place.ts'
import { barriers } from '../support/axe.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

let browser: Browser
let server: TestServer

beforeAll(async () => {
  server = await startServer({ lab: true, publishesPerSecond: 0 })
  const { cookie } = await member(server.url, 'Bot')
  for (let index = 0; index < 40; index++) await post(server.url, 'long', cookie, { id: `long-line-${index}`, text: `line ${index}` })
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  await server.close()
})

const desktop = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }
const open = (query: string, viewport = desktop): Promise<RoomPage> => RoomPage.open(browser, server.url, query, { viewport })

it('keeps what is typed and where one reads, whatever is looked at meanwhile', async () => {
  await using ann = await open('room=long&t=sse', phone)
  await ann.hears('line 39')
  await ann.box.fill('half a sentence')
  const log = ann.page.getByTestId('messages')
  await log.evaluate((element) => (element.scrollTop = 200))
  for (const view of ['heads', 'game', 'wire', 'chat'] as const) {
    await ann.page.locator(`.views [data-view=${view}]`).click()
    await ann.page.locator(`main[data-view=${view}]`).waitFor()
    expect(new URL(ann.page.url()).searchParams.get('view')).toBe(view === 'chat' ? null : view)
    expect(await ann.box.isVisible()).toBe(view === 'chat')
  }
  expect(await ann.box.inputValue()).toBe('half a sentence')
  expect(await log.evaluate((element) => element.scrollTop)).toBe(200)
  // What came meanwhile is there, and does not pull the reader away.
  expect(await ann.page.locator('li[data-seq]').count()).toBe(40)
})

it('has a key for each view, tells of every key that works, and lets them rest', async () => {
  await using ann = await open('room=lobby&t=sse')
  for (const [key, view] of [
    ['h', 'heads'],
    ['g', 'game'],
    ['w', 'wire'],
    ['c', 'chat'],
  ] as const) {
    await ann.press(key)
    await ann.page.locator(`main[data-view=${view}]`).waitFor()
  }
  await ann.press('?')
  const help = ann.page.locator('key-help dialog')
  const told = await help.locator('dt').allInnerTexts()
  expect(told.toSorted()).toEqual(['/', '1', '2', '3', '4', '?', 'Space', 'b', 'c', 'f', 'g', 'h', 'k', 'o', 'r', 'w'])
  // Nothing happens behind the list.
  await ann.page.keyboard.press('h')
  await ann.page.getByLabel('Single keys work').uncheck()
  await ann.page.keyboard.press('Escape')
  await ann.press('h')
  expect(await ann.page.locator('main').getAttribute('data-view')).toBe('chat')
})

it('shares its address as text, selected, without what only the presenter has', async () => {
  await using ann = await open('room=lobby&t=long-poll&poll=500&view=wire#key=secret')
  await ann.page.getByRole('button', { name: 'Share' }).click()
  await ann.page.locator('share-link dialog[open]').waitFor()
  expect(await ann.page.evaluate(() => getSelection()?.toString())).toBe(`${server.url}/?room=lobby&t=long-poll&poll=500&view=wire`)
})

it('stands on every screen, with the views under the thumb of a phone', { timeout: 40_000 }, async () => {
  await using ann = await open('room=long&t=websocket')
  const widthOf = (): Promise<number> => ann.page.evaluate(() => document.documentElement.scrollWidth)
  // 1280 px at 400 %, phones, tablets, laptops, a projector.
  for (const [width, height] of [
    [320, 256],
    [390, 844],
    [800, 1000],
    [1100, 800],
    [1440, 900],
    [1920, 1080],
  ] as const) {
    await ann.page.setViewportSize({ width, height })
    for (const view of views) {
      await ann.page.evaluate((name) => document.querySelector<HTMLElement>(`.views [data-view=${name}]`)?.click(), view)
      await ann.page.locator(`main[data-view=${view}]`).waitFor()
      expect(await widthOf(), `${width} px, ${view}`).toBeLessThanOrEqual(width)
      // Wires are beside whatever is looked at, where there is room for both.
      expect(await ann.page.getByTestId('chaos').isVisible(), `${width} px, ${view}`).toBe(width >= 1100 || view === 'wire')
      if (height < 480) continue
      const tabs = await ann.page.locator('.views').boundingBox()
      expect((tabs?.y ?? Infinity) + (tabs?.height ?? 0), `${width} px, ${view}`).toBeLessThanOrEqual(height)
      if (width <= 760) expect(tabs?.y, view).toBeGreaterThan(height - 60)
    }
  }
})

it('has nothing that axe objects to: in any view, on a desk in the light and on a phone in the dark', { timeout: 60_000 }, async () => {
  await using ann = await open('room=lobby&t=sse')
  await ann.say('something to look at')
  await ann.hears('something to look at')
  const { page } = ann
  await page.locator('.members li').first().waitFor({ state: 'attached' })
  // Chaos is on: there is a note to look at, too.
  await ann.press('o')
  await page.getByTestId('chaos-note').waitFor()
  for (const [colorScheme, viewport] of [
    ['light', desktop],
    ['dark', phone],
  ] as const) {
    await page.setViewportSize(viewport)
    await page.emulateMedia({ colorScheme })
    for (const view of views) {
      await page.evaluate((name) => document.querySelector<HTMLElement>(`.views [data-view=${name}]`)?.click(), view)
      await page.locator(`main[data-view=${view}]`).waitFor()
      expect(await barriers(page), `${view}, ${colorScheme}, ${viewport.width} px`).toEqual([])
    }
  }
})
