import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Told } from '../../src/client/told.ts'
import type { Present } from '../../src/protocol/message.ts'
import { nobody } from '../../src/protocol/version.ts'

const one = 'EEEEEEEEEEEE'
const other = 'FFFFFFFFFFFF'
const ann: Present = { name: 'Ann', wires: ['sse'] }
const bob: Present = { name: 'Bob', wires: ['poll', 'websocket'] }
const names = ({ list }: Told<Present>): string[] => [...list.values()].map(({ name }) => name)

it('knows nothing first, and then the version that it was told last', () => {
  const members = new Told<Present>()
  expect(members.version).toBe('0')
  members.accept({ version: `${one}.3`, list: { a: ann } })
  expect(members.version).toBe(`${one}.3`)
  expect([...members.list]).toEqual([['a', ann]])
})

it('adds who came, changes who is here otherwise, drops who has gone', () => {
  const members = new Told<Present>()
  members.accept({ version: `${one}.3`, list: { a: ann } })
  members.accept({ version: `${one}.5`, list: { b: bob, a: { ...ann, wires: ['websocket'] } } })
  expect([...members.list]).toEqual([
    ['a', { name: 'Ann', wires: ['websocket'] }],
    ['b', bob],
  ])
  members.accept({ version: `${one}.6`, list: { a: null, z: null } })
  expect(names(members)).toEqual(['Bob'])
})

it('forgets everybody where it is told of another epoch', () => {
  const members = new Told<Present>()
  members.accept({ version: `${one}.3`, list: { a: ann } })
  members.accept({ version: `${other}.1`, list: { b: bob } })
  expect(names(members)).toEqual(['Bob'])
  members.accept({ version: nobody, list: {} })
  expect(names(members)).toEqual([])
})

it('passes over what another wire has told before, and what is no version', () => {
  const members = new Told<Present>()
  members.accept({ version: `${one}.9`, list: { a: ann, b: bob } })
  expect(members.accept({ version: `${one}.8`, list: { a: null } })).toBe(false)
  expect(members.accept({ version: 'tomorrow', list: {} })).toBe(false)
  expect(members.accept(undefined)).toBe(false)
  expect(names(members)).toEqual(['Ann', 'Bob'])
})

it('ends with the same list however the changes were cut', () => {
  const change = fc.tuple(fc.constantFrom('a', 'b', 'c', 'constructor'), fc.option(fc.constant(ann)))
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 30 }), fc.array(fc.nat(4)), (changes, cuts) => {
      const [whole, parts] = [new Told<Present>(), new Told<Present>()]
      const upTo = (from: number, to: number): Record<string, Present | null> => Object.fromEntries(changes.slice(from, to))
      whole.accept({ version: `${one}.${changes.length}`, list: upTo(0, changes.length) })
      for (let [from, index] = [0, 0]; from < changes.length; index++) {
        const to = Math.min(changes.length, from + 1 + (cuts[index] ?? 0))
        parts.accept({ version: `${one}.${to}`, list: upTo(from, to) })
        from = to
      }
      const sorted = ({ list }: Told<Present>): string[] => [...list.keys()].toSorted()
      expect(sorted(parts)).toEqual(sorted(whole))
    }),
  )
})
