/** Before the hall is full: is what phones will ask for there, at the address that they will use? Each answer by asking. */
import { connect, type TransportName, transportNames } from '../client/node.ts'

/** What was looked at, and what is wrong with it where something is. */
export interface Check {
  readonly what: string
  readonly problem?: string
}

/** A page that does not answer within this time, in ms, will not in a hall. */
const answerMs = 5_000

/** Where a hall begins. */
const pages = ['/', '/race']

/** Names of languages that look like addresses, and are never asked for. */
const namespaces = /^https?:\/\/(www\.)?w3\.org\//

/**
 * The checks of a hall at this address (`http://192.168.178.23:3000`), one after the other as they are done. `bound` is
 * where the server listens, as it says itself; a wire may take `patienceMs`.
 */
export async function* selfTest(address: string, bound: string, patienceMs = answerMs): AsyncGenerator<Check> {
  yield { what: `bound ${bound}` }
  yield check(`the page is reachable at ${address}`, () => reach(address))
  yield check('no external request in the page', () => lookForExternal(address))
  yield check('all four wires answer over the LAN address', () => tryWires(address, patienceMs))
}

/** A content security policy (CSP Level 3) that begins with nothing, and allows no other host. */
const confined = /^(?=.*\bdefault-src '(?:none|self)')(?!.*[\s;](?:https?:|wss?:|\*|[\w-]+\.\w))/i

/** Doing it says what is wrong by throwing. */
async function check(what: string, does: () => Promise<void>): Promise<Check> {
  try {
    await does()
    return { what }
  } catch (error) {
    const { message, cause } = error as Error
    return { what, problem: cause instanceof Error ? `${message}: ${cause.message}` : message }
  }
}

const ask = (url: string): Promise<Response> => fetch(url, { signal: AbortSignal.timeout(answerMs) })

async function reach(address: string): Promise<void> {
  const page = await ask(`${address}/`)
  const text = await page.text()
  if (page.status !== 200) throw new Error(`it answers ${page.status}`)
  if (!/<html/i.test(text)) throw new Error('what answers there is no page')
}

/** Every file that the pages name, and every file that those name, is ours; and none names what is not. */
async function lookForExternal(address: string): Promise<void> {
  const waiting = pages.map((path) => new URL(path, address).href)
  const seen = new Set(waiting)
  for (let url = waiting.shift(); url !== undefined; url = waiting.shift()) {
    const answer = await ask(url)
    const text = await answer.text()
    // Not every installation has every page.
    if (answer.status !== 200) continue
    const type = answer.headers.get('content-type') ?? ''
    // The browser's own guard: with it nothing else is asked for, whatever a script puts together.
    if (type.includes('html') && !confined.test(answer.headers.get('content-security-policy') ?? ''))
      throw new Error(`${new URL(url).pathname} has no policy that keeps it to this server`)
    // A link is followed by a person, not by the page.
    const loaded = text.replace(/<a\b[^>]*>/gi, '')
    const references = referencesOf(loaded, type)
    for (const reference of [...references, ...absoluteIn(loaded)]) {
      const target = new URL(reference, url)
      if (target.protocol === 'data:' || namespaces.test(target.href)) continue
      if (target.origin !== new URL(address).origin) throw new Error(`${new URL(url).pathname} names ${target.href.slice(0, 100)}`)
      if (!references.includes(reference) || seen.has(target.href)) continue
      seen.add(target.href)
      waiting.push(target.href)
    }
  }
}

/** What a browser would ask for, from a page, a style sheet or a module. */
function referencesOf(text: string, type: string): string[] {
  const grammars = type.includes('html')
    ? [
        /<(?:script|img|iframe|source|audio|video|embed)\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]+)/gi,
        /<link\b[^>]*?\bhref\s*=\s*["']?([^"'\s>]+)/gi,
      ]
    : type.includes('css')
      ? [/url\(\s*["']?([^"')]+)/gi, /@import\s+["']([^"']+)/gi]
      : type.includes('javascript')
        ? [/\b(?:from|import)\s*\(?\s*["'](\.{0,2}\/[^"']+|https?:[^"']+)["']/g]
        : []
  return grammars.flatMap((grammar) => [...text.matchAll(grammar)].map(([, reference = '']) => reference))
}

/** Any address of another place, wherever it stands: a script may put it together with others. */
const absoluteIn = (text: string): string[] =>
  [...text.matchAll(/["'`(=]\s*((?:(?:https?|wss?):)?\/\/[a-z0-9[][^"'`)\s>]*)/gi)]
    .map(([, url = '']) => url)
    .filter((url) => URL.canParse(url, 'http://x'))

async function tryWires(address: string, patienceMs: number): Promise<void> {
  const failures = await Promise.all(
    transportNames.map(async (transport) => {
      const problem = await tryWire(address, transport, patienceMs)
      return problem === undefined ? [] : [`${transport}: ${problem}`]
    }),
  )
  if (failures.flat().length > 0) throw new Error(failures.flat().join('; '))
}

/** Follows a room by this wire until it is live; as an observer, who joins nothing. */
function tryWire(url: string, transport: TransportName, patienceMs: number): Promise<string | undefined> {
  const channel = connect({ url, room: 'self-test', transport, observe: true })
  return new Promise<string | undefined>((resolve) => {
    const tooLate = setTimeout(() => resolve(channel.state.problem?.message ?? 'no answer'), patienceMs)
    channel.on('batch', (_batch, by) => {
      if (by !== transport) return
      clearTimeout(tooLate)
      resolve(undefined)
    })
  }).finally(() => channel.close())
}
