/** Heads and the game in a real Chromium: each over all four wires, the same for everybody. */
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { FourInARow } from '../../src/page/game/four-in-a-row.ts'
import type { SharedHeads } from '../../src/page/heads/shared-heads.ts'
import { type TransportName, transportNames } from '../../src/protocol/message.ts'
import { barriers } from '../support/axe.ts'
import { launch } from '../support/browser.ts'
import { RoomPage } from '../support/page.ts'
import { startServer, type TestServer } from '../support/server.ts'

let browser: Browser
let server: TestServer
// Who comes late is shown few messages, unless they ask for all of them.
const options = { lab: true, publishesPerSecond: 0, leaseGraceMs: 200, membersMs: 100, history: 2 }

beforeAll(async () => {
  browser = await launch()
})
afterAll(() => browser.close())
beforeEach(async () => {
  server = await startServer(options)
})
afterEach(() => server.close())

const open = (query: string, context?: Parameters<typeof RoomPage.open>[3]): Promise<RoomPage> =>
  RoomPage.open(browser, server.url, query, context)

describe('four in a row', () => {
  /** The board as text, its rows from the top: `.` free, `d` disc, `r` ring; in capitals where it won. */
  const boardOf = ({ page }: RoomPage): Promise<string> =>
    page.locator('.board tbody tr').evaluateAll((rows) =>
      rows
        .map((row) =>
          [...row.querySelectorAll('td')]
            .map((cell) => {
              const piece = cell.dataset['piece']?.charAt(0) ?? '.'
              return cell.dataset['won'] === undefined ? piece : piece.toUpperCase()
            })
            .join(''),
        )
        .join('\n'),
    )

  const moves = ({ page }: RoomPage, text: string) => page.getByTestId('moves').getByText(text)
  const stands = ({ page }: RoomPage, text: string | RegExp) => page.getByTestId('standing').filter({ hasText: text }).waitFor()

  const drop = async (player: RoomPage, column: number): Promise<void> => {
    const button = player.page.getByRole('button', { name: `Column ${column}: drop`, disabled: false })
    await button.click()
  }

  /** Sent past the page, which would not send it. */
  const sendRaw = ({ page }: RoomPage, text: string): Promise<number> =>
    page.evaluate(
      async (body) =>
        (await fetch('rooms/lobby~four/messages', { method: 'POST', headers: { 'content-type': 'application/json' }, body })).status,
      JSON.stringify({ text }),
    )

  it('is the same board for both and for who watches: over every wire, after a reload, whatever is sent', { timeout: 40_000 }, async () => {
    await using ann = await open('t=websocket&view=game')
    await using ben = await open('t=poll&poll=250&view=game')
    await using cleo = await open('t=sse&view=game')
    const all = [ann, ben, cleo]
    await drop(ann, 4)
    await stands(ben, 'Move, and you play the ring')
    await drop(ben, 5)
    await stands(ann, 'Your turn')
    await stands(cleo, 'You watch')
    await ann.page
      .getByTestId('trip')
      .filter({ hasText: /in the log after \d+\sms, and\s+back\s+on\s+your\s+own\s+wire\s+after\s+\d+\sms,\s+over\s+WebSocket/ })
      .waitFor()

    // Out of turn, and by who only watches: in the log, on no board, and said to everybody alike.
    expect(await sendRaw(ben, '/move 1')).toBe(201)
    expect(await sendRaw(cleo, '/move 1')).toBe(201)
    for (const one of all) {
      await moves(one, 'wanted column 1, and no board takes it: it was the other player’s turn.').waitFor()
      await moves(one, 'wanted column 1, and no board takes it: two play already.').waitFor()
      expect(await boardOf(one)).toBe(['.......', '.......', '.......', '.......', '.......', '...dr..'].join('\n'))
    }
    // The page does not send what it knows to be refused, and says why.
    await drop(ann, 4)
    await stands(ben, 'Your turn')
    await ben.press('2')
    await ben.live('long-poll')
    // By keys alone; digits are the page's.
    await ben.page.getByRole('button', { name: 'Column 4: drop' }).focus()
    await ben.page.keyboard.press('ArrowRight')
    await ben.page.keyboard.press('Enter')
    await stands(ann, 'Your turn')
    await ben.page.getByTestId('trip').filter({ hasText: 'over long polling' }).waitFor()

    await cleo.page.reload()
    await moves(cleo, '4 moves, 2 refused').waitFor()
    expect(await boardOf(cleo)).toBe(['.......', '.......', '.......', '.......', '...dr..', '...dr..'].join('\n'))
    await cleo.page.getByRole('button', { name: 'New game' }).click()
    await cleo.page.getByRole('alert').filter({ hasText: 'A game goes on' }).waitFor()

    await drop(ann, 4)
    await stands(ben, 'Your turn')
    await drop(ben, 5)
    await stands(ann, 'Your turn')
    await drop(ann, 4)
    await stands(ann, 'You have 4 in a row')
    for (const one of [ben, cleo]) await stands(one, 'has 4 in a row, after 7 moves')
    for (const one of all) expect(await boardOf(one)).toBe(['.......', '.......', '...D...', '...Dr..', '...Dr..', '...Dr..'].join('\n'))

    await cleo.page.getByRole('button', { name: 'New game' }).click()
    for (const one of all) await stands(one, 'Nobody has moved yet')
    // None of it is talk in the room beside it.
    for (const one of all) expect((await one.counts()).delivered).toBe(0)
  })

  it('leaves its room with the view, and begins anew where the log does', async () => {
    await using ann = await open('t=websocket&view=game')
    await drop(ann, 1)
    await moves(ann, 'column 1, row 1').waitFor()
    const { port } = server
    server.cut()
    await server.close()
    server = await startServer(options, port)
    await ann.page.getByTestId('anew').filter({ hasText: 'The room is new' }).waitFor()
    await stands(ann, 'Nobody has moved yet')
    const game = await ann.page.evaluateHandle(() => document.querySelector<FourInARow>('four-in-a-row')?.game)
    expect(await game.evaluate((channel) => channel?.state.status)).toBe('live')
    await ann.press('h')
    await ann.page.waitForFunction((channel) => channel?.state.status === 'closed', game)
  })

  it('says where a room has no place for it beside its name', async () => {
    await using ann = await open(`room=${'x'.repeat(60)}&view=game`)
    await ann.page.getByText('at most 64 characters').waitFor()
  })
})

describe('heads', () => {
  const headsOf = ({ page }: RoomPage): Promise<Record<string, { x: number; y: number }>> =>
    page.evaluate(() => Object.fromEntries(document.querySelector<SharedHeads>('shared-heads')?.positions ?? []))

  const sees = ({ page }: RoomPage, id: string, x: number, y: number) =>
    page.waitForFunction(
      ([member, left, top]) => {
        const at = document.querySelector<SharedHeads>('shared-heads')?.positions.get(member)
        return at !== undefined && Math.abs(at.x - left) < 0.02 && Math.abs(at.y - top) < 0.02
      },
      [id, x, y] as const,
    )

  const memberOf = ({ page }: RoomPage): Promise<string> =>
    page.evaluate(
      () =>
        (document.querySelector('fourwires-room') as unknown as { channel: { state: { member: { id: string } } } }).channel.state.member.id,
    )

  /** Drags to a place in parts of the field; a head is not cut at its edge, so it is not quite there. */
  const drag = async ({ page }: RoomPage, x: number, y: number): Promise<void> => {
    const box = await page.locator('.field-of-heads').boundingBox()
    if (box === null) throw new Error('no field')
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
    await page.mouse.down()
    await page.mouse.move(box.x + 22 + x * (box.width - 44), box.y + 22 + y * (box.height - 60), { steps: 5 })
    await page.mouse.up()
  }

  it('are where they were dragged, for everybody over every wire, and gone with who goes', { timeout: 40_000 }, async () => {
    const rooms = {} as Record<TransportName, RoomPage>
    for (const name of transportNames) rooms[name] = await open(`t=${name}&poll=250&view=heads`)
    const all = Object.values(rooms)
    const ids = {} as Record<TransportName, string>
    for (const name of transportNames) ids[name] = await memberOf(rooms[name])
    for (const [index, name] of transportNames.entries()) {
      await drag(rooms[name], 0.2 + index * 0.2, 0.3)
      // Its own echo too.
      for (const one of all) await sees(one, ids[name], 0.2 + index * 0.2, 0.3)
    }
    const { page } = rooms.poll
    await page.locator('.field-of-heads').focus()
    await page.keyboard.press('Shift+ArrowDown')
    for (const one of all) await sees(one, ids.poll, 0.2, 0.4)
    await page.getByText('Positions', { exact: true }).click()
    await page.getByTestId('positions').getByText('20\u202f%, 40\u202f%').waitFor()
    await page
      .getByTestId('heads-summary')
      .filter({ hasText: /4 heads\. .* over polling: others moved in .* mean jump of \d+\spx each; you moved yours/ })
      .waitFor()

    const gone = ids.websocket
    await rooms.websocket[Symbol.asyncDispose]()
    const left = [rooms.poll, rooms['long-poll'], rooms.sse]
    for (const one of left) {
      await one.page.waitForFunction((id) => document.querySelector<SharedHeads>('shared-heads')?.positions.has(id) === false, gone)
      expect(Object.keys(await headsOf(one))).toHaveLength(3)
      // Never in the log.
      expect(await one.counts()).toEqual({ delivered: 0, gaps: 0, repeats: 0 })
    }
    // All of them only now: who has gone is soon missed by the others.
    for (const one of left) await one[Symbol.asyncDispose]()
  })

  it('make nothing of states that are no position, and are grey while no wire is live', async () => {
    await using ann = await open('t=sse&view=heads')
    await using ben = await open('t=websocket&view=chat')
    const set = (state: unknown): Promise<void> =>
      ben.page.evaluate(
        (value) =>
          (document.querySelector('fourwires-room') as unknown as { channel: { setState(state: unknown): void } }).channel.setState(value),
        state,
      )
    const id = await memberOf(ben)
    await set({ vote: 'sse', x: 0.5, y: 0.5 })
    await sees(ann, id, 0.5, 0.5)
    await set({ vote: 'sse', x: 'left', y: 1e9 })
    await ann.page.waitForFunction((member) => document.querySelector<SharedHeads>('shared-heads')?.positions.has(member) === false, id)
    server.cut()
    await server.close()
    await ann.page.getByText('No wire is live').waitFor()
  })
})

it('has nothing that axe objects to, nothing too small for a thumb, and nothing beside the screen', async () => {
  const phone = { width: 390, height: 844 }
  await using ann = await open('t=sse&view=game', { viewport: { width: 1440, height: 900 } })
  await ann.page.getByRole('button', { name: 'Column 3: drop' }).click()
  await ann.page.getByTestId('moves').getByText('column 3, row 1').waitFor()
  for (const view of ['game', 'heads'] as const) {
    await ann.press(view.charAt(0))
    if (view === 'heads') await ann.page.getByText('Positions', { exact: true }).click()
    expect(await barriers(ann.page, '.talk')).toEqual([])
    for (const viewport of [{ width: 320, height: 640 }, phone, { width: 1440, height: 900 }]) {
      await ann.page.setViewportSize(viewport)
      const small = await ann.page
        .locator('.board button, .record button, .heads summary')
        .evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 44 || one.getBoundingClientRect().width < 44).length)
      if (viewport.width > 320) expect(small, `${view}, ${viewport.width} px`).toBe(0)
      expect(await ann.page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(viewport.width)
    }
  }
})
