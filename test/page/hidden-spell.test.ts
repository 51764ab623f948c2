import { expect, it } from 'vitest'
import { HiddenSpell } from '../../src/page/hidden-spell.ts'

const told = (spell: HiddenSpell, pollMs: number, now: number): string | undefined => spell.tell(pollMs, now)?.replaceAll('\u202f', ' ')

it('is told while the tab is hidden, and for a while after, where polls came late', () => {
  const spell = new HiddenSpell()
  spell.answer(0)
  spell.turn(true, 1_000)
  for (const at of [2_000, 3_000, 63_000]) spell.answer(at)
  expect(told(spell, 1_000, 64_000)).toBe('Paused by the browser (hidden tab): up to 1 min 0 s between two answers.')
  spell.turn(false, 70_000)
  spell.answer(70_100)
  expect(told(spell, 1_000, 70_200)).toBe('It was paused by the browser (hidden tab): up to 1 min 0 s between two answers.')
  expect(told(spell, 1_000, 91_000)).toBeUndefined()
})

it('is not told where they came as often as they were to, nor where nobody was away', () => {
  const spell = new HiddenSpell()
  for (const at of [0, 30_000]) spell.answer(at)
  expect(spell.tell(1_000, 60_000)).toBeUndefined()
  spell.turn(true, 60_000)
  for (const at of [75_000, 90_000]) spell.answer(at)
  expect(spell.tell(15_000, 100_000)).toBeUndefined()
  expect(spell.tell(1_000, 100_000)).toBeDefined()
})
