/** The load: autocannon in a process of its own, for requests and their answers. What is delivered is not its business. */
import autocannon, { type Options, type Result } from 'autocannon'
import { answer } from './processes.ts'
import { type Busy, watchSelf } from './self.ts'

/** What autocannon is to do; `response` times are kept one by one, since its own histogram has whole milliseconds. */
export interface Load {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** `[<id>]` in it is another id each time. */
  readonly body?: string
  readonly connections: number
  /** Requests a second of all connections together, each second's at its beginning; without it as many as are answered. */
  readonly rate?: number
  readonly seconds: number
  /**
   * Shall autocannon correct its latencies for coordinated omission? Its default where there is a rate; in 9.0.0 it takes the
   * expected interval to be 1 ms, whatever the rate (`Math.ceil(1 / rate)` in `lib/run.js`).
   */
  readonly corrects?: boolean
}

export interface Loaded {
  /** From sending to the answer, in ms, in the order of the answers. */
  readonly answersMs: Float64Array
  /** As autocannon tells its latencies, in ms. */
  readonly told: Readonly<Record<'p50' | 'p90' | 'p97_5' | 'p99' | 'max', number>> & { readonly samples: number }
  readonly sent: number
  readonly failed: number
  readonly bytesDown: number
  readonly seconds: number
  readonly busy: Busy
}

const methods = {
  async run({ rate, seconds, corrects = false, connections, ...request }: Load): Promise<Loaded> {
    const answersMs: number[] = []
    const watched = watchSelf()
    let bytesDown = 0
    const options: Options = {
      ...request,
      connections,
      duration: seconds,
      idReplacement: true,
      // Without a rate it corrects nothing, and refuses to be told not to.
      ...(rate !== undefined && { overallRate: rate, ignoreCoordinatedOmission: !corrects }),
    }
    const { latency, requests, errors, non2xx, duration } = await new Promise<Result>((resolve, reject) => {
      const running = autocannon(options, (error: Error | null, result) => (error === null ? resolve(result) : reject(error)))
      running.on('response', (_client, _status, bytes, ms) => {
        answersMs.push(ms)
        bytesDown += bytes
      })
    })
    const { p50, p90, p97_5, p99, max, totalCount } = latency as typeof latency & { readonly totalCount: number }
    return {
      answersMs: Float64Array.from(answersMs),
      told: { p50, p90, p97_5, p99, max, samples: totalCount },
      sent: requests.sent,
      failed: errors + non2xx,
      bytesDown,
      seconds: duration,
      busy: watched(),
    }
  },
}
export type LoadMethods = typeof methods

answer(methods)
