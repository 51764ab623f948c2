/** One direction of a troubled connection: what may be under way on it, and on all of them. */
import { expect, onTestFinished, test } from 'vitest'
import { Lane } from '../../src/lab/lane.ts'

const kibibyte = 1_024
const never = 3_600_000

/** A lane on which nothing arrives within this test. */
function slowLane(): Lane {
  const lane = new Lane()
  onTestFinished(() => lane.stop())
  lane.delayMs = never
  return lane
}
/** Puts in so many bytes. Returns whether there is room for more. */
function takesMore(lane: Lane, bytes: number): boolean {
  let accepted = false
  lane.put(
    bytes,
    () => {},
    () => (accepted = true),
  )
  return accepted
}

test('256 KiB may be under way on a slow lane before it takes no more', () => {
  const lane = slowLane()
  expect(takesMore(lane, 256 * kibibyte)).toBe(true)
  expect(takesMore(lane, 1)).toBe(false)
  expect(takesMore(slowLane(), 1)).toBe(true)
})

test('128 MiB may be under way on all of them, and a lane that is gone makes room', () => {
  const lanes = Array.from({ length: 512 }, slowLane)
  expect(lanes.every((lane) => takesMore(lane, 256 * kibibyte))).toBe(true)
  expect(takesMore(slowLane(), 1)).toBe(false)
  lanes[0]?.stop()
  expect(takesMore(slowLane(), 1)).toBe(true)
})
