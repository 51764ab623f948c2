/** What a process of the bench says of itself: a generator that is busier than its server measures itself. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { now } from './clock.ts'

export interface Busy {
  /** ms of user and system time. */
  readonly cpuMs: number
  /** Share of one core. */
  readonly cpuShare: number
  /** How late its event loop was, 99th percentile and at worst, in ms. */
  readonly lagP99: number
  readonly lagMax: number
}

/**
 * At this share of a core, or so often this late, a generator's own queue is part of what it measures; and one long stall, a
 * single sample of its lag, is in every trip that waited for it.
 */
const busyShare = 0.9
const lateMs = 50
const stallMs = 250

export const isSaturated = ({ cpuShare, lagP99, lagMax }: Busy): boolean => cpuShare > busyShare || lagP99 > lateMs || lagMax > stallMs

const resolution = 5

/** Of a process that had nothing to do: a moment is too short to take a share of. */
export const idle: Busy = { cpuMs: 0, cpuShare: 0, lagP99: 0, lagMax: 0 }

/** Watches this process from now on; call what is returned to hear how it was. */
export function watchSelf(): () => Busy {
  const delay = monitorEventLoopDelay({ resolution })
  delay.enable()
  const cpu = process.cpuUsage()
  const start = now()
  return () => {
    delay.disable()
    const { user, system } = process.cpuUsage(cpu)
    const cpuMs = (user + system) / 1000
    const lag = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - resolution)
    return { cpuMs, cpuShare: cpuMs / (now() - start), lagP99: lag(delay.percentile(99)), lagMax: lag(delay.max) }
  }
}
