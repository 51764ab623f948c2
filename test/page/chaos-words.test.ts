import { expect, it } from 'vitest'
import { type ChaosNow, noChaos, proxyKinds } from '../../src/lab/events.ts'
import { afterwards, conditions, holding, isChaotic, proxies, strokes } from '../../src/page/chaos/chaos-words.ts'
import { transportNames } from '../../src/protocol/message.ts'

const calm: ChaosNow = { type: 'chaos', chaos: noChaos, blackHoleMs: 0, stallMs: 0 }
const plain = (text: string): string => text.replaceAll('\u202f', ' ')

it('says what holds, each with its number', () => {
  const now: ChaosNow = {
    type: 'chaos',
    chaos: { delayMs: 500, jitterMs: 50, readBytesPerSecond: 10_000, proxy: 'buffers' },
    blackHoleMs: 9_100,
    stallMs: 1_000,
  }
  expect(plain(holding(now))).toBe(
    'black hole for 10 s more, all bytes wait 1 s more, 500 ms later each way, up to 50 ms of jitter, read at 10 kB/s, a proxy that buffers',
  )
  expect(holding(calm)).toBe('')
})

it('knows each kind of chaos for chaos', () => {
  expect(isChaotic(calm)).toBe(false)
  for (const change of [{ delayMs: 1 }, { jitterMs: 1 }, { readBytesPerSecond: 1 }, { proxy: 'idle-cut' }] as const)
    expect(isChaotic({ ...calm, chaos: { ...noChaos, ...change } })).toBe(true)
  expect(isChaotic({ ...calm, blackHoleMs: 1 })).toBe(true)
  expect(isChaotic({ ...calm, stallMs: 1 })).toBe(true)
})

it('runs down what runs down, and no further than nothing', () => {
  expect(afterwards({ ...calm, blackHoleMs: 1_000, stallMs: 300 }, 400)).toEqual({ ...calm, blackHoleMs: 600, stallMs: 0 })
})

it('has a sentence for every control on every wire', () => {
  expect(Object.keys(proxies)).toEqual([...proxyKinds])
  const all = [...Object.values(strokes), ...Object.values(conditions), ...Object.values(proxies)]
  for (const { does, expect: expected } of all) {
    for (const sentence of [does, ...transportNames.map((name) => expected[name])]) expect(sentence).toMatch(/^[A-Z].{20,}\.$/)
  }
})
