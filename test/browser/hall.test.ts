/** The hall on the page: the presenter's strip, how phones come in, and that all of it works where a hall is: on plain http, cut off from the world. */
import jsQR from 'jsqr'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Channel, connect } from '../../src/client/node.ts'
import type { HallNow, LabNews } from '../../src/lab/events.ts'
import { views } from '../../src/page/place.ts'
import { transportNames } from '../../src/protocol/message.ts'
import { eventually } from '../support/answers.ts'
import { barriers } from '../support/axe.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { hallOf, key } from '../support/presenter.ts'
import { startServer, type TestServer } from '../support/server.ts'

/** jsqr is CommonJS: its function is where its type says, or one further in. */
const decoder = jsQR as unknown as { readonly default?: typeof jsQR.default } & typeof jsQR.default
const decode = decoder.default ?? decoder

const elsewhere = 'room.example'
let browser: Browser
let server: TestServer

beforeAll(async () => {
  browser = await launch({ switches: [`--host-resolver-rules=MAP ${elsewhere} 127.0.0.1`] })
})
afterAll(() => browser.close())
beforeEach(async () => {
  // A machine that does other things too is not to send phones away for it.
  const patient = { publishesPerSecond: 0, maxLagMs: 60_000, textUnits: 200, generatedNames: true }
  server = await startServer({ lab: true, presenterKey: key, hall: { open: true }, allowHost: [elsewhere], ...patient })
})
afterEach(() => server.close())

type Options = Parameters<typeof RoomPage.open>[3]
const student = (query = 'room=lobby&t=sse', options?: Options): Promise<RoomPage> => RoomPage.open(browser, server.url, query, options)

async function presenter(query = 'room=lobby&t=websocket', options?: Options): Promise<RoomPage> {
  const page = await RoomPage.open(browser, server.url, `${query}#presenter=${key}`, { viewport: { width: 1440, height: 900 }, ...options })
  await page.page.getByTestId('presenter').waitFor()
  return page
}

const opened = (page: Page): Promise<void> =>
  page.getByTestId('presenter').evaluate((element) => void ((element as HTMLDetailsElement).open = true))
const press = (page: Page, name: string | RegExp): Promise<void> => page.getByTestId('presenter').getByRole('button', { name }).click()
const result = (page: Page): Locator => page.getByTestId('presenter-result')

describe('the key', () => {
  it('leaves the address at once, outlives a reload, and goes nowhere but into one header', async () => {
    const sent: { readonly path: string; readonly told: string; readonly authorization: string | undefined }[] = []
    await using ann = await presenter()
    ann.page.on('request', (request) => {
      const { authorization } = request.headers()
      sent.push({ path: new URL(request.url()).pathname, told: `${request.url()} ${request.postData() ?? ''}`, authorization })
    })
    expect(ann.page.url()).toBe(`${server.url}/?room=lobby&t=websocket`)
    await ann.page.reload()
    await ann.page.getByTestId('presenter').waitFor()
    await press(ann.page, 'Blur')
    await result(ann.page).filter({ hasText: 'Blur is on' }).waitFor()
    expect(ann.page.url()).not.toContain(key)
    expect(sent.filter(({ told }) => told.includes(key))).toEqual([])
    expect(await ann.page.getByLabel('Name').isEditable()).toBe(true)
    const withKey = sent.filter(({ authorization }) => authorization !== undefined)
    expect(withKey.map(({ path, authorization }) => `${path} ${authorization}`)).toEqual([
      `/lab/presenter Bearer ${key}`,
      `/lab/hall Bearer ${key}`,
    ])
    expect(await ann.page.evaluate(() => JSON.stringify(localStorage))).not.toContain(key)
  })

  it('that is not the right one is refused in words, and forgotten', async () => {
    await using ben = await student('room=lobby&t=sse#presenter=a-guessed-key')
    await ben.page.getByTestId('presenter-refused').filter({ hasText: 'The terminal prints' }).waitFor()
    expect(ben.page.url()).not.toContain('guessed')
    expect(await ben.page.getByTestId('presenter').count()).toBe(0)
    await ben.page.reload()
    await ben.live('sse')
    expect(await ben.page.getByTestId('presenter-refused').count()).toBe(0)
  })

  it('of a student does nothing, nor does none: not from the page, and not beside it', async () => {
    await using ben = await student()
    const asked: string[] = []
    ben.page.on('request', (request) => asked.push(request.url()))
    await ben.press('f')
    const orders: readonly ['POST' | 'PATCH', string, object][] = [
      ['POST', '/lab/presenter', {}],
      ['POST', '/lab/freeze', { ms: 500 }],
      ['POST', '/lab/cut', { transport: 'sse' }],
      ['POST', '/lab/clear', { room: 'lobby' }],
      ['PATCH', '/lab/hall', { muted: true, blurred: true, bot: { rate: 9, room: 'lobby' } }],
    ]
    const codes = await ben.page.evaluate(
      async (all) =>
        Promise.all(
          all.flatMap(([method, path, body]) =>
            ['', 'Bearer the-students-own'].map(async (authorization) => {
              const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
              const order = { method, headers, body: JSON.stringify(body) }
              const answer = await fetch(path, order)
              return `${answer.status} ${((await answer.json()) as { code: string }).code}`
            }),
          ),
        ),
      orders,
    )
    expect(codes).toEqual(Array(2 * orders.length).fill('403 presenter-only'))
    expect(asked.filter((url) => url.includes('/lab/freeze'))).toHaveLength(2)
    expect(await hallOf(server)).toMatchObject({ muted: false, blurred: false, bot: { rate: 0 } })
    expect(await hallOf(server)).not.toHaveProperty('frozen')
    await ben.live('sse')
  })
})

it('shows of a freeze of 2 s what an open loop sees, and what a closed loop leaves out', async () => {
  await using ann = await presenter('room=lobby&t=poll&poll=250')
  await press(ann.page, /^2.s$/)
  await ann.page.getByTestId('combs').waitFor()
  const of = (loop: string): Promise<number[]> =>
    ann.page.locator(`tr[data-loop=${loop}]`).evaluateAll((rows) => rows.map((row) => Number(row.getAttribute('data-ms'))))
  const [open, closed] = [await of('open'), await of('closed')]
  const late = (samples: readonly number[], ms: number): number => samples.filter((sample) => sample > ms).length
  expect(late(open, 300)).toBeGreaterThanOrEqual(6)
  expect(late(closed, 300)).toBeGreaterThanOrEqual(1)
  expect(late(closed, 300)).toBeLessThanOrEqual(2)
  const said = (await result(ann.page).innerText()).replaceAll('\u202f', ' ')
  expect(said).toMatch(/held everybody up for 2,0\d\d ms/)
  const [, seen, noticed, recorded] =
    /saw (\d+) delayed answers, (\d+) of them over 300 ms\..* recorded (\d+)\./.exec(said)?.map(Number) ?? []
  expect(seen).toBeGreaterThanOrEqual(noticed ?? NaN)
  expect(noticed).toBeGreaterThanOrEqual(6)
  expect(noticed).toBeLessThanOrEqual(late(open, 300))
  expect([1, 2]).toContain(recorded)
  // Once in five seconds: the server's bound, told in its words.
  await ann.press('f')
  await result(ann.page).filter({ hasText: 'Not frozen. The server was frozen a moment ago.' }).waitFor()
})

it('cuts a wire of everybody, who come back; speaks by its bot; clears the room when asked twice', async () => {
  await using ann = await presenter('room=lobby&t=sse')
  await using ben = await student('room=lobby&t=websocket')
  await ann.page.getByTestId('by-wire').getByText('1').nth(1).waitFor()
  const ended = ben.page.evaluate(
    () =>
      new Promise<string>((resolve) => {
        const { channel } = document.querySelector('fourwires-room') as HTMLElement & { readonly channel: Channel }
        channel.on('state', ({ status }) => status !== 'live' && resolve(status))
      }),
  )
  await press(ann.page, 'WebSocket')
  await result(ann.page).filter({ hasText: 'Every connection of WebSocket is cut: 1 member of this room had one' }).waitFor()
  expect(['waiting', 'connecting']).toContain(await ended)
  await ben.live('websocket')

  await ann.page.getByLabel('Bot').fill('50')
  await result(ann.page).filter({ hasText: 'The bot says 50 msg/s in “lobby”.' }).waitFor()
  await ben.page.locator('li[data-seq="20"]').waitFor()
  expect(await hallOf(server)).toMatchObject({ bot: { rate: 50, room: 'lobby' } })
  await ann.page.getByLabel('Bot').fill('0')
  await result(ann.page).filter({ hasText: 'The bot is silent.' }).waitFor()

  await press(ann.page, 'Clear…')
  await press(ann.page, 'Keep it')
  expect(await ben.page.locator('li[data-gap]').count()).toBe(0)
  await press(ann.page, 'Clear…')
  await press(ann.page, 'Clear it')
  await ben.page.locator('li[data-gap=epoch]').waitFor()
  await result(ann.page).filter({ hasText: 'empty' }).waitFor()
})

it('blurs what is said, and is then silent too; mutes all but itself, and nothing that is typed is lost', async () => {
  await using ann = await presenter()
  await using ben = await student()
  await ann.say('before the blur')
  await ben.hears('before the blur')
  await ben.page.getByTestId('news').filter({ hasText: 'before the blur' }).waitFor({ state: 'attached' })
  await press(ann.page, 'Blur')
  await press(ann.page, 'Mute')
  for (const { page } of [ann, ben]) {
    await page.getByTestId('hall-note').filter({ hasText: 'blurred' }).filter({ hasText: 'muted' }).waitFor()
    for (const selector of ['li[data-seq] .text', 'li[data-seq] bdi']) {
      const filter = await page
        .locator(selector)
        .first()
        .evaluate((element) => getComputedStyle(element).filter)
      expect(filter).toMatch(/blur\([4-9]px\)/)
    }
    expect(await page.getByTestId('messages').locator('ol').getAttribute('aria-hidden')).toBe('true')
  }
  await ben.page.getByTestId('box-muted').waitFor()
  await ben.say('typed while it was muted')
  expect(await ben.page.getByTestId('composer').getByRole('button').isDisabled()).toBe(true)
  await ann.say('I may')
  await ben.hears('I may')
  await ben.page.getByTestId('news').filter({ hasText: '1 new message' }).waitFor({ state: 'attached' })
  expect(await ben.page.getByTestId('news').innerText()).not.toContain('I may')
  expect(await ben.page.locator('li[data-seq]').count()).toBe(2)
  await press(ann.page, 'Mute')
  await ben.page.getByTestId('box-muted').waitFor({ state: 'detached' })
  expect(await ben.box.inputValue()).toBe('typed while it was muted')
  await ben.box.press('Enter')
  await ann.hears('typed while it was muted')
  // Also a page that is loaded again, and has not heard yet how the hall is.
  await ben.page.routeWebSocket(/\/lab\/events/, () => {})
  await ben.page.reload()
  await ben.hears('typed while it was muted')
  expect(await ben.page.locator('main').getAttribute('data-blurred')).toBe('')
})

describe('the way in for a phone', () => {
  /** A server on loopback has no address for phones: the page is told some. */
  async function told(page: Page, addresses: readonly string[], joined: number): Promise<void> {
    await page.routeWebSocket(/\/lab\/events/, (socket) => {
      socket.connectToServer().onMessage((text) => {
        const news = JSON.parse(String(text)) as LabNews
        if (news.type !== 'hall') return socket.send(text)
        socket.send(JSON.stringify({ type: 'hall', hall: { ...news.hall, addresses, joined } } satisfies HallNow))
      })
    })
    await page.reload()
  }

  it('is a code that another reader reads, dark on light in the dark too, and an address to type', async () => {
    await using ann = await presenter('room=lobby', { colorScheme: 'dark' })
    await ann.page.getByTestId('join-nowhere').filter({ hasText: 'npm run hall' }).waitFor()
    await told(ann.page, ['http://192.168.178.23:3000', 'http://10.0.0.5:3000'], 23)
    expect(await ann.page.getByTestId('join-address').first().innerText()).toBe('192.168.178.23:3000/j/lobby')
    expect(await ann.page.getByTestId('phones').innerText()).toBe('phones joined: 23')
    expect(await read(ann.page, ann.page.locator('.join-card .qr'))).toBe('HTTP://192.168.178.23:3000/J/LOBBY')
    await ann.page.getByRole('button', { name: 'Fill the screen' }).click()
    const big = ann.page.locator('.join-screen .qr')
    expect(await big.getAttribute('data-text')).toBe('HTTP://192.168.178.23:3000/J/LOBBY')
    expect((await big.boundingBox())?.height).toBeGreaterThan(600)
    await ann.page.keyboard.press('Escape')
    await ann.page.getByLabel('Another network').selectOption('http://10.0.0.5:3000')
    expect(await read(ann.page, ann.page.locator('.join-card .qr'))).toBe('HTTP://10.0.0.5:3000/J/LOBBY')
  })

  it('says what to try where nobody comes', async () => {
    await using ann = await presenter()
    await ann.page.addInitScript(() => {
      void customElements.whenDefined('join-card').then((element) => Object.assign(element, { patienceMs: 20 }))
    })
    await told(ann.page, ['http://192.168.178.23:3000'], 0)
    const help = ann.page.getByTestId('join-try')
    await help.filter({ hasText: 'Wi-Fi' }).filter({ hasText: 'hotspot' }).filter({ hasText: 'port 3000' }).waitFor()
  })

  it('is not in the way of a phone that came in: one tap, a name drawn, nothing asked', async () => {
    const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
    await using ben = await student('room=lobby', phone)
    await told(ben.page, ['http://192.168.178.23:3000'], 1)
    await ben.page.goto(`${server.url}/J/LOBBY`)
    await ben.live('websocket')
    expect(new URL(ben.page.url()).searchParams.get('room')).toBe('lobby')
    expect(await ben.page.getByTestId('join').count()).toBe(0)
    expect(await ben.page.getByLabel('Name').inputValue()).toMatch(/\S/)
    // What this server would refuse or pass over is not offered.
    await ben.page.waitForFunction(() => document.querySelector('textarea')?.maxLength === 200)
    expect(await ben.page.getByLabel('Name').isEditable()).toBe(false)
  })
})

/** What a camera reads off the screen. */
async function read(page: Page, code: Locator): Promise<string | undefined> {
  const png = (await code.screenshot()).toString('base64')
  const { width, height, pixels } = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0))
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')
    canvas?.drawImage(bitmap, 0, 0)
    const { data } = canvas?.getImageData(0, 0, bitmap.width, bitmap.height) ?? { data: [] }
    // As text: a million numbers, one by one, take seconds.
    return { width: bitmap.width, height: bitmap.height, pixels: btoa(Array.from(data, (each) => String.fromCharCode(each)).join('')) }
  }, png)
  return decode(Uint8ClampedArray.from(Buffer.from(pixels, 'base64')), width, height, { inversionAttempts: 'dontInvert' })?.data
}

it('has nothing in the strip and the card that axe objects to, nor beside a narrow screen', async () => {
  await using ann = await presenter('room=lobby&t=sse')
  await opened(ann.page)
  await press(ann.page, /^0.5.s$/)
  await ann.page.getByTestId('combs').waitFor()
  expect(await barriers(ann.page, 'presenter-strip', 'join-card')).toEqual([])
  for (const viewport of [
    { width: 390, height: 844 },
    { width: 320, height: 640 },
  ]) {
    await ann.page.setViewportSize(viewport)
    expect(await ann.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(viewport.width)
  }
})

it('works from another name, on plain http, with no network but the hall’s: every view, and not one failed request', async () => {
  const tried: string[] = []
  const failed: string[] = []
  const origin = `http://${elsewhere}:${server.port}`
  await using ann = await RoomPage.open(browser, origin, `room=lobby&t=sse#presenter=${key}`, { viewport: { width: 1440, height: 900 } })
  await ann.page.context().route(/./, (route, request) => {
    if (request.url().startsWith(origin)) return route.continue()
    tried.push(request.url())
    return route.abort('internetdisconnected')
  })
  ann.page.on('requestfailed', (request) => {
    // A stream that is held ends with the page that held it.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') failed.push(`${request.url()} ${request.failure()?.errorText}`)
  })
  await ann.page.reload()
  await ann.page.getByTestId('presenter').waitFor()
  expect(await ann.page.evaluate(() => isSecureContext)).toBe(false)
  for (const view of views.toReversed()) {
    await ann.press(view.charAt(0))
    await ann.page.locator(`main[data-view=${view}]`).waitFor()
  }
  for (const transport of transportNames) {
    await ann.switchTo(transport)
    await ann.live(transport)
  }
  await ann.page.getByRole('button', { name: 'Keys' }).click()
  await ann.page.keyboard.press('Escape')
  await press(ann.page, /^0.5.s$/)
  await ann.page.getByTestId('combs').waitFor()
  await ann.page.goto(`${origin}/race?room=lobby`)
  await ann.page.locator('race-view').waitFor({ state: 'attached' })
  expect({ tried, failed }).toEqual({ tried: [], failed: [] })
})

it('leaves the presenter’s page its frames while a hundred phones talk', { timeout: 120_000 }, async () => {
  const phones = Array.from({ length: 100 }, (_, index) =>
    connect({
      url: server.url,
      room: 'lobby',
      transport: transportNames[index % 4] ?? 'poll',
      pollMs: 1_000,
      members: true,
      name: `phone ${index}`,
    }),
  )
  let talking: ReturnType<typeof setInterval> | undefined
  try {
    await eventually(() => phones.every(({ state }) => state.status === 'live'), 'a hundred phones are live', 40_000)
    await using ann = await presenter('room=lobby&t=websocket', { reducedMotion: 'no-preference' })
    await ann.page.waitForFunction(
      (here) => {
        const counts = document.querySelector('[data-testid=by-wire]')?.textContent.match(/\d+/g) ?? []
        return counts.reduce((sum, each) => sum + Number(each), 0) >= here
      },
      phones.length + 1,
      { timeout: 60_000 },
    )
    // Each of them says something every ten seconds, so that every tenth of a second somebody does.
    let turn = 0
    talking = setInterval(() => void phones[turn++ % phones.length]?.send(`what phone ${turn % phones.length} says`).catch(() => {}), 100)
    const { frames, busyMs, layouts } = await cost(ann.page, 2_000)
    await ann.hears('what phone 10 says')
    console.log(`presenter's page with 100 phones: ${frames.toFixed(0)} frames/s, ${busyMs.toFixed(0)} ms of main thread a second`)
    // Once a frame at the most: what is laid out for each of a hundred members shows as more.
    console.log(`${(layouts / frames).toFixed(2)} layouts a frame`)
    expect(layouts).toBeLessThan(1.5 * frames + 5)
  } finally {
    clearInterval(talking)
    for (const phone of phones) phone.close()
  }
})

/** Of each second: frames, CPU time of the page's main thread, and layouts. */
async function cost(page: Page, ms: number): Promise<{ readonly frames: number; readonly busyMs: number; readonly layouts: number }> {
  const devtools = await page.context().newCDPSession(page)
  // CPU time of the thread: what others take of the machine is not counted.
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const taken = async (): Promise<{ readonly ms: number; readonly layouts: number }> => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    const of = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? NaN
    return { ms: 1_000 * of('TaskDuration'), layouts: of('LayoutCount') }
  }
  const before = await taken()
  const frames = await page.evaluate(
    (length) =>
      new Promise<number>((resolve) => {
        const start = performance.now()
        let count = 0
        const frame = (): void => {
          if (performance.now() - start >= length) return resolve(count)
          count++
          requestAnimationFrame(frame)
        }
        requestAnimationFrame(frame)
      }),
    ms,
  )
  const after = await taken()
  const aSecond = (value: number): number => (1_000 * value) / ms
  return { frames: aSecond(frames), busyMs: aSecond(after.ms - before.ms), layouts: aSecond(after.layouts - before.layouts) }
}
