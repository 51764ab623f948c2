/** The wire view in a real Chromium: what it shows is what passed, to the byte, and drawing it costs little. */
import type { Browser, CDPSession } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Channel } from '../../src/client/channel.ts'
import type { LabLink } from '../../src/page/lab-link.ts'
import { rowHeight } from '../../src/page/wire/figure.ts'
import type { WirePicture } from '../../src/page/wire/wire-picture.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import { eventually } from '../support/answers.ts'
import { barriers } from '../support/axe.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { type CountedConnection, startRelay } from '../support/relay.ts'
import { member, post, startServer, type TestServer } from '../support/server.ts'

type Root = HTMLElement & { readonly channel: Channel; readonly lab: LabLink }

let browser: Browser
let server: TestServer

beforeAll(async () => {
  browser = await launch()
  server = await startServer({ lab: true, publishesPerSecond: 0 })
})
afterAll(async () => {
  await browser.close()
  await server.close()
})
let room = 0
beforeEach(() => void room++)

async function open(transport: TransportName, url = server.url, options?: Parameters<typeof RoomPage.open>[3]): Promise<RoomPage> {
  const page = await RoomPage.open(browser, url, `room=wire-${room}&t=${transport}&poll=250&view=wire`, {
    viewport: { width: 1440, height: 900 },
    reducedMotion: 'no-preference',
    ...options,
  })
  await page.page.waitForFunction(() => (document.querySelector('fourwires-room') as Root).lab.status === 'open')
  return page
}

const send = (page: RoomPage, text: string): Promise<unknown> =>
  page.page.evaluate((said) => (document.querySelector('fourwires-room') as Root).channel.send(said), text)

/** The digits of a figure of the view. */
const meter = async (page: RoomPage, name: string): Promise<number> =>
  Number((await page.page.locator(`[data-meter=${name}]`).innerText()).replace(/\D/g, ''))

/** Who says what needs no request. */
const otter = { id: 'm_otter', name: 'Otter' }

/** Another member says so much. */
async function others(count: number): Promise<void> {
  const { cookie } = await member(server.url, 'Otter')
  for (let index = 0; index < count; index++) await post(server.url, `wire-${room}`, cookie, { text: `from the otter ${index}` })
}

describe.each(transportNames)('over %s', (transport) => {
  it('the meters are what an independent counter of TCP counts, to the byte', async () => {
    await using relay = await startRelay(server.port)
    await using ann = await open(transport, `http://127.0.0.1:${relay.port}`)
    await ann.live(transport)
    for (const text of ['one', 'two', 'three']) await send(ann, text)
    await others(5)
    await ann.page.waitForFunction(() => (document.querySelector('fourwires-room') as Root).channel.counts.delivered >= 8)
    // What no cookie ever passed on is nobody's; what carries the reports is the observer's.
    const ours = (all: readonly CountedConnection[]): CountedConnection[] =>
      all.filter(({ text }) => /^cookie:/im.test(text) && !text.startsWith('GET /lab/events'))
    const sum = (side: 'up' | 'down'): number => ours(relay.connections).reduce((bytes, each) => bytes + each[side], 0)
    // What polls is never quiet for long: the conversation is over, and the line to the lab stays.
    await ann.page.evaluate(() => (document.querySelector('fourwires-room') as Root).channel.close())
    await eventually(async () => (await meter(ann, 'up')) === sum('up') && (await meter(ann, 'down')) === sum('down'), 'the same count')
    expect(await meter(ann, 'requests')).toBeGreaterThan(transport === 'websocket' ? 0 : 3)
    // And connection by connection, by the port that the server sees.
    await ann.page.getByTestId('wire-twin').locator('summary').click()
    const rows = ann.page.getByTestId('connections').locator('tbody tr')
    await rows.first().waitFor()
    const told = await rows.evaluateAll((all) => all.map((row) => Number((row as HTMLElement).dataset['port'])).toSorted((a, b) => a - b))
    expect(told).toEqual(
      ours(relay.connections)
        .map(({ port }) => port)
        .toSorted((a, b) => a - b),
    )
    const line = (await ann.page.getByTestId('exactness').innerText()).replace(/[,\u202f]/g, '')
    const [, attributed, unattributed, sockets] =
      /^(\d+)B recognised \+ (\d+)B not recognised = (\d+)B counted by the sockets$/.exec(line) ?? []
    expect(Number(attributed) + Number(unattributed)).toBe(Number(sockets))
    expect(unattributed).toBe('0')
  })
})

/** Shows the bytes of the newest block of this name, from the table. */
async function inspect(page: RoomPage, wanted: RegExp): Promise<void> {
  const inspector = page.page.getByTestId('inspector')
  const choose = page.page.getByTestId('blocks').locator('button')
  await page.page.getByTestId('wire-twin').evaluate((details) => ((details as HTMLDetailsElement).open = true))
  await choose.filter({ hasText: wanted }).first().click()
  await inspector.locator('tbody tr').first().waitFor()
}

/** The hex and the text of a piece. */
async function piece(page: RoomPage, name: string): Promise<{ readonly hex: string; readonly text: string }> {
  const row = page.page.getByTestId('inspector').locator(`tr[data-name="${name}"]`)
  return { hex: await row.locator('.hex').innerText(), text: await row.locator('.txt').innerText() }
}

describe('a block', () => {
  it('is shown byte by byte: the real handshake, and a frame unmasked with its own key', async () => {
    await using ann = await open('poll')
    await ann.live('poll')
    await ann.switchTo('websocket')
    await ann.live('websocket')
    await send(ann, 'grüße an alle')
    await inspect(ann, /handshake GET/)
    expect((await piece(ann, 'request line')).text).toMatch(/^GET \/rooms\/wire-\d+\/websocket\?.* HTTP\/1\.1\\r\\n$/)
    expect((await piece(ann, 'Upgrade')).text).toBe('Upgrade: websocket\\r\\n')
    expect((await piece(ann, 'Sec-WebSocket-Key')).text).toMatch(/^Sec-WebSocket-Key: [A-Za-z0-9+/]{22}==\\r\\n$/)
    expect((await piece(ann, 'Cookie')).text).toMatch(/^Cookie: \*+\\r\\n$/)
    await ann.page.getByText('Values of cookies are starred out').waitFor()
    const proof = ann.page.getByTestId('accept')
    await proof.getByText('the same.').waitFor()
    await proof.getByLabel(/^The client.s key/).fill('dGhlIHNhbXBsZSBub25jZQ==')
    await proof
      .getByTestId('accept-computed')
      .filter({ hasText: /^s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=$/ })
      .waitFor()
    await proof.getByText('to another key than this one.').waitFor()

    await inspect(ann, /frame text, up/)
    const masked = await piece(ann, 'payload')
    const key = Buffer.from((await piece(ann, 'masking key')).hex.replaceAll(' ', ''), 'hex')
    expect(key.length).toBe(4)
    await ann.page.getByLabel('Unmask').check()
    const plain = await piece(ann, 'payload')
    expect(JSON.parse(plain.text)).toMatchObject({ type: 'publish', text: 'grüße an alle' })
    const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex')
    expect(bytes(masked.hex).map((byte, index) => byte ^ (key[index % 4] ?? 0))).toEqual(bytes(plain.hex))
    await ann.page.getByLabel('Unmask').uncheck()
    expect(await piece(ann, 'payload')).toEqual(masked)
  })

  it('is chosen by a click on the picture and by the keys alone', async () => {
    await using ann = await open('websocket')
    await send(ann, 'hello')
    await ann.hears('hello')
    const figure = ann.page.locator('.wire-figure')
    await eventually(async () => (await bars(ann)).length > 0, 'a block in the picture')
    await ann.press(' ')
    await paused(ann)
    const stood = await standing(ann)
    await forget(ann)
    expect(await standing(ann)).toEqual(stood)
    await figure.focus()
    await ann.page.keyboard.press('End')
    await ann.page.keyboard.press('Enter')
    await ann.page.getByTestId('inspector').locator('tbody tr').first().waitFor()
    const byKey = await ann.page.getByTestId('inspector').locator('p').first().innerText()
    expect(await figure.locator('[aria-live]').innerText()).toBe(byKey)
    await ann.page.getByRole('button', { name: 'Close' }).click()
    await expectFocus(ann, '.wire-figure')
    const newest = (await bars(ann)).toSorted((one, other) => other.x - one.x)[0]
    await ann.page.locator('.wire-figure canvas').click({ position: { x: (newest?.x ?? 0) + 1, y: (newest?.y ?? 0) + 1 } })
    await ann.page.getByTestId('inspector').waitFor()
    expect(await ann.page.getByTestId('inspector').locator('p').first().innerText()).toBe(byKey)
  })

  it('that is not kept any more says so', async () => {
    await using ann = await open('websocket')
    await others(1)
    await ann.hears('from the otter 0')
    await eventually(async () => (await bars(ann)).length > 0, 'a block in the picture')
    await ann.press(' ')
    // More than the server keeps of a session, while the picture stands.
    await ann.page.evaluate(async () => {
      const { channel } = document.querySelector('fourwires-room') as Root
      await Promise.all(Array.from({ length: 80 }, () => channel.send('x'.repeat(4_000))))
    })
    await ann.page.waitForFunction(() => (document.querySelector('fourwires-room') as Root).channel.counts.delivered >= 81)
    await ann.page.getByTestId('wire-twin').evaluate((details) => ((details as HTMLDetailsElement).open = true))
    await ann.page.getByTestId('blocks').locator('button').first().click()
    await ann.page.getByTestId('not-kept').waitFor()
  })
})

const expectFocus = async (page: RoomPage, selector: string): Promise<void> =>
  expect(await page.page.evaluate((wanted) => document.activeElement?.matches(wanted), selector)).toBe(true)

/** What is drawn, in px of the canvas. */
const bars = (
  page: RoomPage,
): Promise<readonly { readonly id: string; readonly x: number; readonly y: number; readonly bytes: number }[]> =>
  page.page.evaluate(
    (height) =>
      (document.querySelector('wire-picture') as WirePicture).figure!.rows.flatMap((row, index) =>
        (row?.bars ?? []).map(({ block, x, y }) => ({
          id: `${block.connection}.${block.block}`,
          x,
          y: index * height + height / 2 + y,
          bytes: block.bytes,
        })),
      ),
    rowHeight,
  )

const paused = (page: RoomPage): Promise<void> => page.page.getByTestId('wire-words').filter({ hasText: 'paused' }).waitFor()

/** What a paused picture shows: its blocks, and the labels of its rows. */
const standing = async (page: RoomPage) => ({ bars: await bars(page), labels: await page.page.locator('.wire-rows').innerText() })

/** A minute passes for the model, every connection is closed, and the clocks are found to be 5 ms apart from what they were thought to be; then it is drawn. */
const forget = (page: RoomPage): Promise<void> =>
  page.page.evaluate(async () => {
    const picture = document.querySelector('wire-picture') as WirePicture
    const { model } = picture
    if (model === undefined) throw new Error('There is no model.')
    const connections = model.connections.map(({ state }) => ({ ...state, closedAt: model.at + 1_000 }))
    model.take({ type: 'report', at: model.at + 60_000, connections, blocks: [], skipped: 0, observer: { up: 0, down: 0 } })
    if (model.connections.some(({ blocks }) => blocks.length > 0)) throw new Error('The model still knows blocks.')
    picture.offset += 5
    await new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())))
  })

/** Counts how often the picture is drawn from now on. */
async function countDraws({ page }: RoomPage): Promise<() => Promise<number>> {
  const draws = (): Promise<number> => page.evaluate(() => Number(document.documentElement.dataset['draws'] ?? 0))
  if ((await draws()) === 0) {
    await page.evaluate(() => {
      const prototype = CanvasRenderingContext2D.prototype as { clearRect: (this: CanvasRenderingContext2D, ...area: number[]) => void }
      const { clearRect } = prototype
      prototype.clearRect = function (...area) {
        const { dataset } = document.documentElement
        if (this.canvas.closest('wire-picture') !== null) dataset['draws'] = String(Number(dataset['draws'] ?? 0) + 1)
        clearRect.apply(this, area)
      }
    })
  }
  const before = await draws()
  return async () => (await draws()) - before
}

/** Counts the frames of the page from now on, and has it make one after the other. */
async function countFrames({ page }: RoomPage): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    const { dataset } = document.documentElement
    const begun = String(Math.random())
    dataset['counting'] = begun
    dataset['frames'] = '0'
    const count = (): void => {
      if (dataset['counting'] !== begun) return
      dataset['frames'] = String(Number(dataset['frames']) + 1)
      requestAnimationFrame(count)
    }
    requestAnimationFrame(count)
  })
  return () => page.evaluate(() => Number(document.documentElement.dataset['frames']))
}

describe('the picture', () => {
  it('has a table that says the same, and a sentence', async () => {
    await using ann = await open('sse')
    for (const text of ['one', 'two', 'three']) await send(ann, text)
    await others(4)
    await ann.hears('from the otter 3')
    await eventually(async () => (await bars(ann)).length >= 8, 'eight blocks in the picture')
    await ann.press(' ')
    await ann.page.getByTestId('wire-words').filter({ hasText: 'paused' }).waitFor()
    const drawn = await bars(ann)
    await ann.page.getByTestId('wire-twin').locator('summary').click()
    await ann.page.getByTestId('blocks').locator('tbody tr').first().waitFor()
    const listed = await ann.page
      .getByTestId('blocks')
      .locator('tbody tr')
      .evaluateAll((rows) =>
        rows.map((row) => {
          const [overhead = 0, payload = 0] = [...row.querySelectorAll('td')]
            .slice(-2)
            .map((cell) => Number(cell.textContent?.replace(/\D/g, '')))
          return { id: (row as HTMLElement).dataset['block'], bytes: overhead + payload }
        }),
      )
    const byId = (all: readonly { id?: string | undefined; bytes: number }[]): readonly string[] =>
      all.map(({ id, bytes }) => `${id}: ${bytes}`).toSorted((one, other) => one.localeCompare(other))
    expect(byId(listed)).toEqual(byId(drawn))
    const sentence = await ann.page.getByTestId('wire-summary').innerText()
    expect(sentence).toContain(`${drawn.length} blocks`)
    expect(sentence).toMatch(/Now: SSE, stream open for/)
    expect(await ann.page.locator('.wire-figure canvas').getAttribute('aria-label')).toContain(`${drawn.length} blocks`)
  })

  it('stands while it is paused, and is slow when it is replayed; the counters go on, and stay exact', async () => {
    await using ann = await open('long-poll')
    await others(2)
    await ann.hears('from the otter 1')
    await eventually(async () => (await bars(ann)).length > 3, 'blocks in the picture')
    await ann.press(' ')
    const words = ann.page.getByTestId('wire-words')
    await words.filter({ hasText: 'counters go on' }).waitFor()
    const stood = await bars(ann)
    const before = await meter(ann, 'down')
    await others(3)
    await eventually(async () => (await meter(ann, 'down')) > before + 400, 'the counters going on')
    expect(await bars(ann)).toEqual(stood)
    expect(await ann.page.getByTestId('exactness').getAttribute('data-loss')).toBe(null)
    await ann.press(' ')
    await words.filter({ hasText: 'live' }).waitFor()
    await ann.page.getByLabel('1/100').check()
    await words.filter({ hasText: /1\/100 of real speed: 100.ms of wire/ }).waitFor()
    // What passed within a few ms stands apart now: the question before its answer, by more than it is wide.
    const gap = await ann.page.evaluate(() => {
      const { rows } = (document.querySelector('wire-picture') as WirePicture).figure!
      return Math.max(
        ...rows.flatMap((row) => row?.held.map(({ from, to }) => to - from) ?? []),
        ...rows.flatMap((row) => row?.bars.map(({ x }) => x) ?? []),
      )
    })
    expect(gap).toBeGreaterThan(20)
    expect(await ann.page.getByTestId('exactness').getAttribute('data-loss')).toBe(null)
  })

  it('is not drawn while nobody sees it', async () => {
    await using ann = await open('websocket')
    await others(1)
    await ann.hears('from the otter 0')
    const draws = await countDraws(ann)
    const hide = (hidden: boolean): Promise<void> =>
      ann.page.evaluate((now) => {
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => now })
        document.dispatchEvent(new Event('visibilitychange'))
      }, hidden)
    const frames = (): Promise<void> =>
      ann.page.evaluate(() => new Promise<void>((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve()))))
    await eventually(async () => (await draws()) > 2, 'drawing')
    await hide(true)
    await frames()
    const hidden = await draws()
    await others(3)
    await ann.hears('from the otter 2')
    await frames()
    expect(await draws()).toBe(hidden)
    await hide(false)
    await eventually(async () => (await draws()) > hidden + 2, 'drawing again')
    // Scrolled away, it stands; the figures that are still in view go on.
    await ann.page.setViewportSize({ width: 1440, height: 400 })
    await ann.page.getByTestId('delays').scrollIntoViewIfNeeded()
    await ann.page.waitForFunction(() => {
      const { bottom } = document.querySelector('.wire-figure canvas')!.getBoundingClientRect()
      return bottom < Math.max(0, document.querySelector('.instrument')!.getBoundingClientRect().top)
    })
    await frames()
    await frames()
    const scrolled = await draws()
    const requests = await meter(ann, 'requests')
    // No message: that alone would have the view written anew.
    await ann.page.evaluate(() => fetch('/'))
    await eventually(async () => (await meter(ann, 'requests')) > requests, 'the figures going on')
    expect(await draws()).toBe(scrolled)
    // The same where another view is in front of it.
    await ann.page.setViewportSize({ width: 800, height: 700 })
    await ann.press('c')
    await frames()
    const away = await draws()
    await others(3)
    await frames()
    expect(await draws()).toBe(away)
    await ann.press('w')
    await eventually(async () => (await draws()) > away + 2, 'drawing in its view')
  })

  it('is drawn and laid out at most once a frame at 100 events a second, alone and beside the chat', { timeout: 40_000 }, async () => {
    await using ann = await open('websocket', server.url, { viewport: { width: 1000, height: 700 } })
    // Into the log itself: requests of a test's own would be most of the work.
    const start = performance.now()
    let said = 0
    const publishing = setInterval(() => {
      for (; said < (performance.now() - start) / 10; said++) {
        void server.store.append(`wire-${room}`, otter, { id: `event-${said}`, text: `event ${said}` })
      }
    }, 10)
    await using _stop = { [Symbol.asyncDispose]: async () => clearInterval(publishing) }
    await eventually(async () => (await bars(ann)).length > 200, 'a full picture', 15_000)
    const session = await ann.page.context().newCDPSession(ann.page)
    for (const layout of ['alone', 'beside the chat'] as const) {
      if (layout === 'beside the chat') await ann.page.setViewportSize({ width: 1440, height: 900 })
      const messages = ann.page.getByTestId('messages')
      await messages.waitFor({ state: layout === 'alone' ? 'hidden' : 'visible' })
      const delivered = async (more: number): Promise<unknown> => {
        const least = (await ann.counts()).delivered + more
        return ann.page.waitForFunction((all) => (document.querySelector('fourwires-room') as Root).channel.counts.delivered > all, least)
      }
      // What a new layout costs, it costs once.
      await delivered(20)
      const frames = await countFrames(ann)
      const draws = await countDraws(ann)
      const { forcedLayouts, scripting } = await traceFrames(session, () => delivered(120))
      const drawn = await draws()
      const passed = await frames()
      const [longest = NaN, median = NaN] = [scripting[0], scripting[Math.floor(scripting.length / 2)]]
      console.log(
        `${layout}: ${passed} frames, ${drawn} drawn, ${forcedLayouts} laid out by scripts, scripting ${longest.toFixed(1)} ms in the longest, median ${median.toFixed(1)} ms`,
      )
      // Several events come between two frames: what is done for each of them shows as more than one a frame.
      expect(drawn).toBeGreaterThan(5)
      expect(drawn).toBeLessThanOrEqual(passed + 1)
      expect(forcedLayouts).toBeLessThanOrEqual(passed + 1)
      // The log keeps its end in sight, without a layout of its own in each frame.
      const fromEnd = await messages.evaluate((log) => log.scrollHeight - log.scrollTop - log.clientHeight)
      expect(fromEnd).toBeLessThan(40)
    }
  })
})

interface TraceEvent {
  readonly name: string
  readonly ts: number
  readonly dur?: number
  readonly tdur?: number
  readonly tid: number
  readonly pid: number
}

const scripts = new Set(['FunctionCall', 'FireAnimationFrame', 'TimerFire', 'RunMicrotasks', 'EventDispatch'])

interface Frames {
  /** Layouts that a script waited for: the browser's own come after all scripts of a frame. */
  readonly forcedLayouts: number
  /** CPU time of the page's scripts in each frame, in ms, the longest first: of the thread itself, whatever else the machine does. */
  readonly scripting: readonly number[]
}

/** What the page's main thread did while `watched` lasted, by the browser's own trace. */
async function traceFrames(session: CDPSession, watched: () => Promise<unknown>): Promise<Frames> {
  const events: TraceEvent[] = []
  const collect = ({ value }: { readonly value: readonly object[] }): void => void events.push(...(value as unknown as TraceEvent[]))
  session.on('Tracing.dataCollected', collect)
  const complete = new Promise((resolve) => session.once('Tracing.tracingComplete', resolve))
  const includedCategories = ['devtools.timeline', 'disabled-by-default-devtools.timeline']
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories } })
  await watched()
  await session.send('Tracing.end')
  await complete
  session.off('Tracing.dataCollected', collect)
  const drawing = events.find(({ name }) => name === 'FireAnimationFrame' || name === 'Commit')
  const ours = events.filter(({ pid, tid }) => pid === drawing?.pid && tid === drawing.tid).toSorted((one, other) => one.ts - other.ts)
  const spent: number[] = [0]
  let forcedLayouts = 0
  let until = 0
  for (const { name, ts, dur = 0, tdur = 0 } of ours) {
    // The main thread's part of a frame ends here.
    if (name === 'Commit') spent.push(0)
    if (name === 'Layout' && ts < until) forcedLayouts++
    // One inside another is counted with it.
    if (!scripts.has(name) || ts < until) continue
    until = ts + dur
    spent[spent.length - 1] = (spent.at(-1) ?? 0) + tdur / 1_000
  }
  return { forcedLayouts, scripting: spent.toSorted((one, other) => other - one) }
}

it('has no barrier that axe finds, on a desk and on a phone, with a block and its table open', async () => {
  await using ann = await open('websocket')
  await send(ann, 'hello')
  await eventually(async () => (await bars(ann)).length > 0, 'a block in the picture')
  await inspect(ann, /frame/)
  for (const viewport of [
    { width: 1440, height: 900 },
    { width: 390, height: 844 },
  ]) {
    await ann.page.setViewportSize(viewport)
    expect(await ann.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0)
  }
  expect(await barriers(ann.page, 'wire-view')).toEqual([])
})

it('of a server without a lab says so, and what to do', async () => {
  await using bare = await startServer({ lab: false })
  await using ann = await RoomPage.open(browser, bare.url, 'room=lobby&t=sse&view=wire')
  await ann.page.getByTestId('wire').getByText('--no-lab').waitFor()
})
