/** The code that a phone's camera is shown: read back by a decoder that has nothing to do with who made it. */
import jsQR from 'jsqr'
import { describe, expect, it, test } from 'vitest'
import { joinAddress, qrMatrix, quietModules, typedAddress } from '../../src/lab/qr.ts'
import { halfBlocks, hasColours } from '../../src/server/half-blocks.ts'

/** jsqr is CommonJS: its function is where its type says, or one further in. */
const decoder = jsQR as unknown as { readonly default?: typeof jsQR.default } & typeof jsQR.default
const decode = decoder.default ?? decoder

const pixelsAModule = 4

/** What a camera that sees these modules reads; true is dark. */
function read(modules: readonly (readonly boolean[])[]): string | undefined {
  const side = modules.length * pixelsAModule
  const pixels = new Uint8ClampedArray(side * side * 4).fill(255)
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const dark = modules[Math.floor(y / pixelsAModule)]?.[Math.floor(x / pixelsAModule)] === true
      if (dark) pixels.fill(0, (y * side + x) * 4, (y * side + x) * 4 + 3)
    }
  }
  return decode(pixels, side, side, { inversionAttempts: 'dontInvert' })?.data
}

function withQuietZone(matrix: readonly (readonly boolean[])[]): boolean[][] {
  const side = Array.from({ length: matrix.length + 2 * quietModules }, (_, index) => index - quietModules)
  return side.map((row) => side.map((column) => matrix[row]?.[column] ?? false))
}

const addresses = [
  'HTTP://192.168.178.23:3000/J/LOBBY',
  'HTTP://255.255.255.255:65535/J/LOBBY',
  'HTTP://10.0.0.7:3000/J/A-ROOM.WITH~TILDE_AND-MORE-OF-A-NAME-THAN-USUAL',
  'http://192.168.178.23:3000/?room=lobby&t=sse#presenter=k3Y',
  'https://example.com/räume/Ünïcode 🦊',
]

describe('a code', () => {
  it.each(addresses)('of %s is read back as it was', (address) => {
    expect(read(withQuietZone(qrMatrix(address)))).toBe(address)
  })

  it('of an address in capitals has 25 modules a side, and of the same in small letters 29', () => {
    const address = joinAddress('http://192.168.178.23:3000', 'lobby')
    expect(address).toBe('HTTP://192.168.178.23:3000/J/LOBBY')
    const matrix = qrMatrix(address)
    expect([matrix.length, ...matrix.map((row) => row.length)]).toEqual(Array.from({ length: 26 }, () => 25))
    expect(qrMatrix(address.toLowerCase())).toHaveLength(29)
  })
})

describe('on a terminal', () => {
  /** The modules that a person sees, from the characters. */
  const seen = (lines: readonly string[], inkIsDark: boolean): boolean[][] => {
    const rows = lines.flatMap((line) => {
      // oxlint-disable-next-line no-control-regex
      const characters = line.replace(/\u001b\[[0-9;]*m/g, '').split('')
      return ['█▀', '█▄'].map((inked) => characters.map((character) => inked.includes(character) === inkIsDark))
    })
    return rows.slice(0, rows[0]?.length)
  }

  test.each([
    ['black on white', hasColours({ isTTY: true }, {})],
    ['where nobody wants colours, light modules drawn', hasColours({ isTTY: true }, { NO_COLOR: '1' })],
    ['down a pipe, likewise', hasColours({}, {})],
  ])('%s it is read back, its quiet zone included', (_how, colours) => {
    const lines = halfBlocks(qrMatrix('HTTP://192.168.178.23:3000/J/LOBBY'), colours)
    expect(lines).toHaveLength(Math.ceil((25 + 2 * quietModules) / 2))
    const modules = seen(lines, colours)
    expect(modules).toEqual(withQuietZone(qrMatrix('HTTP://192.168.178.23:3000/J/LOBBY')))
    expect(read(modules)).toBe('HTTP://192.168.178.23:3000/J/LOBBY')
    // oxlint-disable-next-line no-control-regex
    expect(/\u001b/.test(lines.join(''))).toBe(colours)
  })
})

it.each([
  ['lobby', 'HTTP://10.0.0.7:3000/J/LOBBY', '10.0.0.7:3000/j/lobby'],
  ['Attic', 'http://10.0.0.7:3000/?room=Attic', '10.0.0.7:3000/?room=Attic'],
])('leads to the room that is called %s, and to no other', (room, code, typed) => {
  expect(joinAddress('http://10.0.0.7:3000', room)).toBe(code)
  expect(typedAddress('http://10.0.0.7:3000', room)).toBe(typed)
})
