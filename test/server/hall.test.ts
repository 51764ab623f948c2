/** A hall, from its command line to its terminal: the way in, the self-test, who came, and what the room is limited to. */
import Fastify from 'fastify'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { type NetworkInterfaceInfo, tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { Hall } from '../../src/lab/events.ts'
import { isOwnAddress, lanAddresses } from '../../src/server/addresses.ts'
import { Announcer, type AnnounceOptions } from '../../src/server/announce.ts'
import { parseCommandLine } from '../../src/server/command-line.ts'
import { hallOptions } from '../../src/server/options.ts'
import { pages } from '../../src/server/pages.ts'
import { selfTest } from '../../src/server/self-test.ts'
import { eventually } from '../support/answers.ts'
import { ask, hallOf, key } from '../support/presenter.ts'
import { listening } from '../support/process.ts'
import { listen, member, postRaw, startServer } from '../support/server.ts'

describe('npm run hall', () => {
  test('shows where the presenter begins, keeps its log beside that and the key out of it, and freezes without sending anybody away', async () => {
    const started = await listening('--hall', '--presenter-key', key, '--max-lag-ms', '400', '--log-level', 'trace')
    const { child, url, port, output, exited } = started
    await eventually(() => output.stdout.includes('phones joined: 0'), 'it counts')
    expect(output.stdout).toContain(`presenter: http://127.0.0.1:${port}/#presenter=${key}\n`)
    // It listens on loopback only: no code leads there.
    expect(output.stdout).toContain(`No phone can come: the server listens on 127.0.0.1:${port}`)
    expect(output.stdout).not.toMatch(/[▀▄█]|"level"/)
    expect(await hallOf(started)).toMatchObject({ open: true, addresses: [], joined: 0 })

    const ann = await member(url, 'Rude name')
    expect(ann.member.name).not.toBe('Rude name')
    expect((await postRaw(url, 'r', ann.cookie, JSON.stringify({ text: 'x'.repeat(201) }))).status).toBe(422)
    const burst = await Promise.all(
      Array.from({ length: 20 }, () => postRaw(url, 'r', ann.cookie, JSON.stringify({ text: 'x'.repeat(200) }))),
    )
    expect(new Set(burst.map(({ status }) => status))).toEqual(new Set([201, 429]))

    // An open loop: each asks in its time, whether or not those before it were answered.
    const frozen = ask(started, 'POST', '/lab/freeze', { ms: 800 })
    const polls: Promise<readonly [status: number, ms: number]>[] = []
    for (let asked = 0; asked < 5; asked++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      const at = performance.now()
      polls.push(fetch(`${url}/rooms/r/poll`).then(({ status }) => [status, performance.now() - at] as const))
    }
    expect(((await (await frozen).json()) as { ms: number }).ms).toBeGreaterThanOrEqual(800)
    const answers = await Promise.all(polls)
    expect(answers.map(([status]) => status)).toEqual([200, 200, 200, 200, 200])
    // The comb: who asked 100 ms later waited 100 ms less.
    const delays = answers.map(([, ms]) => ms)
    expect(delays[0]).toBeGreaterThan(400)
    expect((delays[0] ?? 0) - (delays[4] ?? 0)).toBeGreaterThan(200)

    child.kill('SIGTERM')
    expect((await exited).code).toBe(0)
    for (const line of output.stderr.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('level')
    expect(output.stderr).not.toContain(key)
  })

  test('is for the whole network, with limits for a hall, each of which the command line overrides', () => {
    expect(parseCommandLine(['--hall'], {})).toMatchObject({
      hall: true,
      lab: true,
      host: '0.0.0.0',
      logLevel: 'warn',
      server: hallOptions,
    })
    const args = ['--hall', '--host', '192.0.2.7', '--publishes-per-second', '9', '--text-units', '99', '--no-generated-names']
    const { host, server } = parseCommandLine(args, {})
    expect(host).toBe('192.0.2.7')
    expect(server).toEqual({ ...hallOptions, publishesPerSecond: 9, textUnits: 99, generatedNames: false })
    expect(parseCommandLine([], {})).toMatchObject({ hall: false, server: {} })
    expect(() => parseCommandLine(['--hall', '--no-lab'], {})).toThrow(/^--hall /)
  })

  test('lets a hundred phones behind one address have rooms of their own', async () => {
    await using server = await startServer({ ...hallOptions })
    const phones = Array.from({ length: 100 }, (_, phone) => phone)
    const answers = await Promise.all(
      phones.flatMap((phone) => ['lobby', `race~m_${phone}`, `own-${phone}`].map((room) => fetch(`${server.url}/rooms/${room}/poll`))),
    )
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
  })
})

describe('the self-test', () => {
  /** Where no wire answers, that is waited for in vain. */
  const results = async (address: string, patienceMs = 100): Promise<Record<string, string | undefined>> => {
    const all: Record<string, string | undefined> = {}
    for await (const { what, problem } of selfTest(address, '0.0.0.0:3000', patienceMs)) all[what] = problem
    return all
  }
  const wires = 'all four wires answer over the LAN address'
  const external = 'no external request in the page'

  test('finds nothing wrong with our own page and wires', async () => {
    await using server = await startServer({ lab: true, lingerMs: 50 })
    expect(await results(server.url, 5_000)).toEqual({
      'bound 0.0.0.0:3000': undefined,
      [`the page is reachable at ${server.url}`]: undefined,
      [external]: undefined,
      [wires]: undefined,
    })
    await server.quiet()
  })

  test.each([
    ['a script', '<script src="https://cdn.example/x.js"></script>', {}],
    ['a style sheet of a style sheet', '<link rel="stylesheet" href="a.css">', { 'a.css': '@import "//fonts.example/x.css";' }],
    ['an image of a style sheet', '<link rel="stylesheet" href="a.css">', { 'a.css': 'b { background: url(http://img.example/x.png) }' }],
    [
      'a module of a module',
      '<script type="module" src="a.js"></script>',
      { 'a.js': 'import "./b.js"', 'b.js': 'fetch("https://api.example/x")' },
    ],
    ['a page without a policy', '<p>hi</p>', { policy: "default-src 'self' https://cdn.example" }],
  ] as const)('finds %s from elsewhere', async (_what, html, files) => {
    const app = Fastify()
    const { policy = "default-src 'none'; script-src 'self'", ...others } = files as Record<string, string>
    app.get('/', (_request, reply) =>
      reply.type('text/html').header('content-security-policy', policy).send(`<!doctype html><html>${html}`),
    )
    for (const [name, text] of Object.entries(others)) {
      app.get(`/${name}`, (_request, reply) => reply.type(name.endsWith('.css') ? 'text/css' : 'text/javascript').send(text))
    }
    const { port, close } = await listen(app)
    onTestFinished(close)
    const found = await results(`http://127.0.0.1:${port}`)
    expect(found[external]).toMatch(/ names (https?:\/\/)\w+\.example\/|no policy/)
    // Nor are there any wires.
    for (const transport of ['poll', 'long-poll', 'sse', 'websocket']) expect(found[wires]).toContain(`${transport}: `)
  })

  test('passes over a link, which a person follows, and the name of a language', async () => {
    const app = Fastify()
    const body = '<html><a href="https://www.rfc-editor.org/rfc/rfc6455">x</a><svg xmlns="http://www.w3.org/2000/svg"></svg>'
    app.get('/', (_request, reply) => reply.type('text/html').header('content-security-policy', "default-src 'self'").send(body))
    const { port, close } = await listen(app)
    onTestFinished(close)
    expect((await results(`http://127.0.0.1:${port}`))[external]).toBeUndefined()
  })

  test('says of an address where nothing answers what is wrong', async () => {
    const server = await startServer()
    await server.close()
    const found = await results(server.url)
    expect(found[`the page is reachable at ${server.url}`]).toContain('ECONNREFUSED')
  })
})

describe('the terminal', () => {
  const hall = (joined: number): Hall => ({
    open: true,
    muted: false,
    blurred: false,
    bot: { rate: 0, room: 'lobby' },
    swarm: { members: 0, room: 'lobby' },
    textUnits: 200,
    generatedNames: true,
    joined,
    addresses: [],
  })
  const announce = async (options: Partial<AnnounceOptions>): Promise<{ readonly lines: string[]; readonly announcer: Announcer }> => {
    const lines: string[] = []
    const announcer = new Announcer({
      print: (line) => lines.push(line),
      colours: false,
      bound: '0.0.0.0:3000',
      port: 3000,
      presenter: 'http://localhost:3000/#presenter=key',
      addresses: [],
      ...options,
    })
    onTestFinished(() => announcer.close())
    await announcer.open()
    return { lines, announcer }
  }

  test('shows the way in for phones, what was tried, and who has joined: not more than a line at a time', async () => {
    await using server = await startServer({ lab: true })
    const { lines, announcer } = await announce({ addresses: [server.url, 'http://192.0.2.7:3000'], joinsMs: 80 })
    expect(lines.filter((line) => /[▀▄█]/.test(line))).toHaveLength(17)
    for (const line of [
      `phones:    ${server.url}`,
      '       or  http://192.0.2.7:3000',
      'presenter: http://localhost:3000/#presenter=key',
      'ok      bound 0.0.0.0:3000',
      `ok      the page is reachable at ${server.url}`,
      'ok      no external request in the page',
      'ok      all four wires answer over the LAN address',
    ]) {
      expect(lines).toContain(line)
    }
    for (let joined = 1; joined <= 50; joined++) announcer.heard(hall(joined))
    await eventually(() => lines.at(-1) === 'phones joined: 50', 'the last is told')
    expect(lines.filter((line) => line.startsWith('phones joined:')).length).toBeLessThanOrEqual(3)
  })

  test('says what to try when nobody has come in time, and nothing where somebody has', async () => {
    await using server = await startServer({ lab: true })
    const addresses = [server.url]
    const alone = await announce({ patienceMs: 10, addresses })
    await eventually(() => alone.lines.some((line) => line.startsWith('Nobody has joined')), 'advice')
    const advice = alone.lines.join('\n')
    for (const cause of ['same Wi-Fi', 'client isolation', 'TCP port 3000', 'hotspot']) expect(advice).toContain(cause)
    const nowhere = await announce({ patienceMs: 10 })
    const full = await announce({ patienceMs: 50, addresses })
    full.announcer.heard(hall(1))
    const later = await announce({ patienceMs: 60, addresses })
    await eventually(() => later.lines.some((line) => line.startsWith('Nobody has joined')), 'the time of the other has passed')
    expect(full.lines.some((line) => line.startsWith('Nobody has joined'))).toBe(false)
    expect(nowhere.lines.some((line) => line.startsWith('Nobody has joined'))).toBe(false)
  })

  test('says nothing more, and leaves no timer, once it is closed in the middle of what it tries', async () => {
    await using server = await startServer({ lab: true })
    const lines: string[] = []
    const where = { bound: '0.0.0.0:3000', port: 3000, presenter: 'http://localhost:3000/', addresses: [server.url] }
    const patienceMs = 54_321
    const announcer = new Announcer({ ...where, colours: false, patienceMs, print: (line) => lines.push(line) })
    const set = vi.spyOn(globalThis, 'setTimeout')
    onTestFinished(() => set.mockRestore())
    const opened = announcer.open()
    announcer.close()
    await opened
    expect(lines.some((line) => line.startsWith('phones joined:'))).toBe(false)
    expect(set.mock.calls.map(([, ms]) => ms)).not.toContain(patienceMs)
  })

  test('says so where there is no network, and what to do', async () => {
    const { lines } = await announce({})
    expect(lines.join('\n')).toMatch(/No phone can come: .*\nJoin the Wi-Fi of the hall, or open a hotspot/)
    expect(lines.filter((line) => /[▀▄█]/.test(line))).toEqual([])
  })
})

describe('addresses', () => {
  const on = (address: string, internal = false): NetworkInterfaceInfo => ({
    address,
    internal,
    family: address.includes(':') ? 'IPv6' : 'IPv4',
    netmask: '',
    mac: '',
    cidr: null,
    scopeid: 0,
  })
  const interfaces = {
    lo: [on('127.0.0.1', true), on('::1', true)],
    docker0: [on('172.17.0.1')],
    'br-1f2e': [on('172.18.0.1')],
    eth1: [on('169.254.7.7')],
    tailscale0: [on('100.101.102.103')],
    eth0: [on('198.51.100.7'), on('fd00::2'), on('fe80::1')],
    eth2: [on('10.1.2.3')],
    wlan0: [on('192.168.178.23')],
  }

  test('are best first: private ones, of the Wi-Fi before others, and those of containers and without a network last', () => {
    expect(lanAddresses({ address: '0.0.0.0', port: 3000 }, interfaces)).toEqual([
      'http://192.168.178.23:3000',
      'http://10.1.2.3:3000',
      'http://198.51.100.7:3000',
      'http://172.17.0.1:3000',
      'http://172.18.0.1:3000',
      'http://100.101.102.103:3000',
      'http://169.254.7.7:3000',
    ])
  })

  test('are those that the server listens on: one, all of both families, or none', () => {
    expect(lanAddresses({ address: '10.1.2.3', port: 1 }, interfaces)).toEqual(['http://10.1.2.3:1'])
    expect(lanAddresses({ address: '127.0.0.1', port: 1 }, interfaces)).toEqual([])
    expect(lanAddresses({ address: '::', port: 1 }, interfaces)).toContain('http://[fd00::2]:1')
    expect(lanAddresses({ address: '::', port: 1 }, interfaces)).not.toContain('http://[fe80::1]:1')
  })

  test('are this machine’s own, or another’s', () => {
    for (const own of ['127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1', '192.168.178.23', '::ffff:192.168.178.23', 'fe80::1%eth0']) {
      expect([own, isOwnAddress(own, interfaces)]).toEqual([own, true])
    }
    for (const other of ['192.168.178.24', '::ffff:10.1.2.4', 'fe80::2', ''])
      expect([other, isOwnAddress(other, interfaces)]).toEqual([other, false])
  })
})

describe('addresses that are typed or scanned', () => {
  test('/J/LOBBY leads to the room, in any spelling, beside the place where it is asked for', async () => {
    await using server = await startServer()
    for (const path of ['/J/LOBBY', '/j/lobby', '/J/Lobby']) {
      for (const method of ['GET', 'HEAD']) {
        const answer = await fetch(`${server.url}${path}`, { method, redirect: 'manual' })
        expect([answer.status, answer.headers.get('location')]).toEqual([302, '../?room=lobby'])
        expect(new URL(answer.headers.get('location') ?? '', `${server.url}/prefix${path}`).pathname).toBe('/prefix/')
      }
    }
    const page = await fetch(`${server.url}/J/A.room~B`)
    expect([page.status, page.url]).toEqual([200, `${server.url}/?room=a.room~b`])
    for (const path of ['/J/-', '/J/%20', '/J/a%2fb', `/J/${'A'.repeat(65)}`]) {
      const answer = await fetch(`${server.url}${path}`, { redirect: 'manual' })
      expect([path, answer.status, ((await answer.json()) as { code: string }).code]).toEqual([path, 400, 'invalid-room'])
    }
  })

  test('/race is the race, under the same policy as the page', async () => {
    const root = mkdtempSync(join(tmpdir(), 'fourwires-pages-'))
    writeFileSync(join(root, 'race.html'), '<!doctype html><title>Race</title>')
    const app = Fastify({ exposeHeadRoutes: false })
    await app.register(pages, { root })
    const { port, close } = await listen(app)
    onTestFinished(close)
    for (const method of ['GET', 'HEAD']) {
      const answer = await fetch(`http://127.0.0.1:${port}/race`, { method })
      expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
      expect(await answer.text()).toBe(method === 'GET' ? '<!doctype html><title>Race</title>' : '')
    }
  })
})
