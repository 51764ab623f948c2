/** The numbers of the contract: each is the default of an option that is named with its unit (§12). */
import { describe, expect, test } from 'vitest'
import { type Option, optionTable, withDefaults } from '../../src/server/options.ts'
import { fileLimits } from '../../src/store/file.ts'

const minute = 60
const hour = 3_600
const KiB = 1_024
const MiB = KiB * KiB

/** As the contract says them, section by section. */
const contract = {
  '§2 Cursor': { history: 50 },
  '§3 Batch': {
    batchMessages: 500,
    batchBytes: 64 * KiB,
    heartbeatMs: 20_000,
    streamMs: 15 * minute * 1_000,
    waitSeconds: 25,
    waitMaxSeconds: 55,
  },
  '§6 Publishing': { textUnits: 4_096, dedupeSeconds: 10 * minute, dedupeIds: 10_000, storeTimeoutMs: 2_000 },
  '§7 What is kept': {
    keepMessages: 10_000,
    keepBytes: 4 * MiB,
    keepSeconds: hour,
    totalBytes: 256 * MiB,
    rooms: 10_000,
    emptySeconds: 5 * minute,
    roomsPerMinute: 120,
    idleSeconds: hour,
  },
  '§8 Members': {
    websocketLeaseMs: 30_000,
    pingMs: 10_000,
    silentMs: 30_000,
    sseLeaseMs: 60_000,
    longPollLeaseMs: 90_000,
    pollLeasePercent: 250,
    pollLeaseMs: 10_000,
    leaseGraceMs: 10_000,
    membersMs: 1_000,
    statesMs: 50,
  },
  '§9 Slow readers': { highWaterBytes: 64 * KiB, stallMs: 90_000 },
  '§10 Shutting down': { drainMs: 5_000, drainLimitMs: 10_000 },
  '§11 Errors': {
    bodyBytes: 32 * KiB,
    uriBytes: 2 * KiB,
    headerBytes: 16 * KiB,
    publishesPerSecond: 20,
    publishBurst: 40,
    maxConnections: 10_000,
    maxLagMs: 1_000,
    storeAwayMs: 10_000,
    frameBytes: 32 * KiB,
    frameFragments: 64,
  },
  '§12 Set on purpose': { headersTimeoutMs: 10_000, requestTimeoutMs: 15_000, timeoutCheckMs: 1_000, keepAliveMs: 72_000 },
} as const

describe('every number of the contract is an option with this default', () => {
  test.each(Object.entries(contract))('%s', (_section, numbers) => {
    const defaults = withDefaults({})
    expect(Object.fromEntries(Object.keys(numbers).map((name) => [name, defaults[name as keyof typeof defaults]]))).toEqual(numbers)
  })

  test('and a room of files goes a day after its last message', () => {
    expect(fileLimits.idleSeconds).toBe(24 * hour)
  })

  test('and each number is named with its unit, or counts what it is named after', () => {
    const units = /(Ms|Seconds|Bytes|PerSecond|PerMinute|Percent|Days|PerBatch|Units)$/
    const counted = /(messages|rooms|ids|history|burst|connections|members|fragments)$/i
    const unnamed = Object.entries(optionTable as Record<string, Option>).filter(
      ([name, { kind }]) => kind === 'number' && !units.test(name) && !counted.test(name),
    )
    expect(unnamed.map(([name]) => name)).toEqual([])
  })
})
