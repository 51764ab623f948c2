/** The wire view in words: a block, a connection, the picture as a whole. Every number comes from what is drawn. */
import { transportNames } from '../../client/index.ts'
import { count, counted, duration } from '../units.ts'
import { wires } from '../wires.ts'
import { type Carried, isTransport } from './carried.ts'
import type { Figure, Stretch } from './figure.ts'
import { roughly } from './measures.ts'
import type { Slowness } from './playback.ts'
import type { WireBlock } from './wire-model.ts'

export const wordOf = (carries: Carried): string =>
  isTransport(carries) ? wires[carries].word : carries === 'publish' ? 'publish' : 'page and session'

/** `frame up, text, WebSocket`: what a block is, without its bytes. */
export function nameOf({ what, detail, direction }: WireBlock): string {
  const target = detail.replace(/\?.*$/, '?…')
  return [what, target].filter((part) => part !== '').join(' ') + (direction === 'up' ? ', up' : ', down')
}

export function sentenceOfBlock(block: WireBlock, port: number | undefined): string {
  const at = port === undefined ? '' : ` on port ${port}`
  const whole = `${count(block.bytes)} B: overhead ${count(block.bytes - block.payload)}, payload ${count(block.payload)}`
  return `${nameOf(block)}${at}, ${wordOf(block.carries)}. ${whole}.`
}

/** What the picture shows, for who does not see it. */
export function summaryOf(stretches: readonly Stretch[], { span }: Figure): string {
  const blocks = stretches.flatMap((each) => each.blocks)
  const sum = (direction: string): number => blocks.reduce((all, block) => (block.direction === direction ? all + block.bytes : all), 0)
  const traffic = `${counted(blocks.length, 'block')}, ${roughly(sum('up'))} up, ${roughly(sum('down'))} down`
  return `${duration(span.to - span.from)} of wire: ${counted(stretches.length, 'connection')}, ${traffic}.${heldWords(stretches, span.until)}`
}

function heldWords(stretches: readonly Stretch[], until: number): string {
  const open = stretches.flatMap((each) => each.exchanges).filter((each) => each.from <= until && (each.until ?? Infinity) > until)
  const parts = transportNames.flatMap((name) => {
    const longest = open.filter(({ carries }) => carries === name).reduce((most, { from }) => Math.max(most, until - from), -1)
    if (longest < 0) return []
    const verb = name === 'sse' ? 'stream open' : name === 'websocket' ? 'socket open' : 'question held'
    return [`${wires[name].word}, ${verb} for ${duration(longest)}`]
  })
  return parts.length === 0 ? ' Nothing is held.' : ` Now: ${parts.join('; ')}.`
}

/** What the axis is, in words: live, or how slowly. */
export function timeWords(slowness: Slowness, spanMs: number, agoMs: number, paused: boolean): string {
  if (slowness === 1) return paused ? `paused, the picture is from ${duration(agoMs)} ago; counters go on` : 'live, the last 10\u202fs'
  const replay = `1/${slowness} of real speed: ${duration(spanMs)} of wire, ${duration(agoMs)} old, replayed over 10\u202fs`
  return paused ? `${replay}; paused, counters go on` : replay
}
