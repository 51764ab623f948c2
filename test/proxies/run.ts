/** `npm run proxies`: what works, what is buffered and what is cut behind nginx, haproxy and Caddy, by measurement. */
import { parseArgs } from 'node:util'
import { transportNames } from '../../src/protocol/message.ts'
import { RedisStore } from '../../src/store/redis.ts'
import { type ProxyName, proxyNames } from '../support/real-proxy.ts'
import { RedisServer } from '../support/redis.ts'
import { type Cell, look } from './look.ts'
import { confirmed } from './patience.ts'
import { type Race, race } from './race.ts'
import { broken, type Findings, show } from './table.ts'
import { addressed, compressed, reloaded, stale, through, unheard } from './trials.ts'
import { type Moved, withoutOne } from './two-nodes.ts'

const configs = ['default', 'tuned'] as const
type Config = (typeof configs)[number]

/** Reloads and resets, publishes over idle connections (and when those are looked at again), questions to a cache, publishes of each wire before and after a node goes. */
const counts = { disturbances: 8, reuses: 25, moreReuses: 10, questions: 20, rounds: 12 } as const
/** The 72 s of the server and the 60 s of a tuned proxy, and the other way round, a hundred times as fast, in ms. */
const idle = { ours: [720, 600], swapped: [600, 720_000] } as const

const help = `npm run proxies -- [options]
Each wire through each proxy and configuration of test/proxies, with the real programs: about four minutes.

  --proxy <names>    of ${proxyNames.join(', ')} (all)
  --config <names>   of ${configs.join(', ')} (both)
  --json             the findings as JSON on standard output, nothing else there (with \`npm run -s proxies\`)
  --help             this text

Exit: 0 measured, and the tuned configurations keep the contract · 1 they do not, or it broke · 2 the command line is wrong.`

function readOptions(): { readonly proxies: readonly ProxyName[]; readonly chosen: readonly Config[]; readonly json: boolean } | undefined {
  const { values } = parseArgs({
    options: {
      proxy: { type: 'string', default: proxyNames.join() },
      config: { type: 'string', default: configs.join() },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  return { proxies: choose('--proxy', values.proxy, proxyNames), chosen: choose('--config', values.config, configs), json: values.json }
}

function choose<Name extends string>(flag: string, value: string, names: readonly Name[]): Name[] {
  return value.split(',').map((each) => {
    const found = names.find((name) => name === each)
    if (found === undefined) throw new Error(`${flag} is of ${names.join(', ')}; it got "${each}"`)
    return found
  })
}

const began = performance.now()
const progress = (what: string): void => console.error(`${((performance.now() - began) / 1000).toFixed(0).padStart(4)} s  ${what}`)

async function measure(proxies: readonly ProxyName[], chosen: readonly Config[]): Promise<Findings> {
  const cells: Cell[] = []
  const findings: Findings = { cells, trials: [] }
  for (const proxy of proxies) {
    for (const config of chosen) {
      progress(`${proxy}, ${config}: four wires, and a quiet room`)
      cells.push(...(await Promise.all(transportNames.map((transport) => look({ proxy, config }, transport)))))
      progress(`${proxy}, ${config}: addresses, compression, reloads and resets`)
      findings.trials.push({ trial: 'addresses', proxy, config, found: await addressed(through(proxy, config)) })
      findings.trials.push({ trial: 'compressing', proxy, config, found: await compressed(proxy, config) })
      findings.trials.push({ trial: 'reloads and resets', proxy, config, found: await reloaded(proxy, config, counts.disturbances) })
      if (proxy === 'nginx') await measureNginx(findings, config)
      if (config === 'tuned') await measureTuned(findings, proxy)
    }
  }
  return findings
}

/** What only nginx does: it gathers answers unless it is asked not to, and can keep them. */
async function measureNginx({ trials }: Findings, config: Config): Promise<void> {
  const proxy = 'nginx'
  progress(`${proxy}, ${config}: gathering and caching`)
  if (config === 'default') trials.push({ trial: 'X-Accel-Buffering unheard', proxy, config, found: await unheard() })
  trials.push({ trial: 'caching', proxy, config, found: { stale: await stale(config, false, counts.questions) } })
  trials.push({ trial: 'caching, Cache-Control ignored', proxy, config, found: { stale: await stale(config, true, counts.questions) } })
}

async function measureTuned({ trials }: Findings, proxy: ProxyName): Promise<void> {
  const config = 'tuned'
  progress(`${proxy}, ${config}: idle connections`)
  const [serverMs, proxyMs] = idle.ours
  const given = (slower: number): Promise<Race> =>
    race(proxy, serverMs * slower, proxyMs * slower, slower === 1 ? counts.reuses : counts.moreReuses)
  const [ours, swapped] = await Promise.all([
    // Where nothing was used again nothing was looked at.
    confirmed(given, ({ failed, reuses, connections }) => failed > 0 || connections >= reuses),
    race(proxy, ...idle.swapped, counts.reuses),
  ])
  trials.push({ trial: 'idle connections, the proxy gives up first', proxy, config, found: ours })
  trials.push({ trial: 'idle connections, the server gives up first', proxy, config, found: swapped })
  if (proxy === 'caddy') return
  for (const how of ['killed', 'drained'] as const) {
    progress(`${proxy}, two nodes with one Redis: one is ${how}`)
    trials.push({ trial: `one of two nodes ${how}`, proxy, config: 'two-nodes', found: await beside(proxy, how) })
  }
}

async function beside(proxy: 'nginx' | 'haproxy', how: 'killed' | 'drained'): Promise<Moved> {
  await using redis = await RedisServer.start()
  return await withoutOne(proxy, how, counts.rounds, () => RedisStore.open(redis.url))
}

async function main(): Promise<number> {
  let options: ReturnType<typeof readOptions>
  try {
    options = readOptions()
  } catch (error) {
    console.error(`${(error as Error).message}\nTry: npm run proxies -- --help`)
    return 2
  }
  if (options === undefined) {
    console.log(help)
    return 0
  }
  const findings = await measure(options.proxies, options.chosen)
  const promises = broken(findings)
  console.log(options.json ? JSON.stringify({ ...findings, broken: promises }, undefined, 2) : show(findings, promises))
  return promises.length > 0 ? 1 : 0
}

// A signal ends the proxies too: they end with the process.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130))
process.exit(await main())
