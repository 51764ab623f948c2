/** The way in for a phone's camera: an address as a QR code (ISO/IEC 18004), module by module. Pure: runs anywhere. */
import qrCode from 'qrcode-generator'

/** The light modules around a code without which no camera finds it (ISO/IEC 18004, 9.1). */
export const quietModules = 4

/** What alphanumeric mode can spell, at 5.5 bits a character where a byte takes 8. */
const alphanumeric = /^[0-9A-Z $%*+\-./:]*$/

/**
 * Where a phone joins a room: `HTTP://192.168.178.23:3000/J/LOBBY`. In capitals, since alphanumeric mode has no others:
 * 25 modules a side where the same in small letters takes 29. The server reads it as small letters: a room that has
 * capitals of its own is named by the page's address.
 */
export const joinAddress = (address: string, room: string): string =>
  hasCapitals(room) ? `${address}/?room=${encodeURIComponent(room)}` : `${address}/J/${encodeURIComponent(room)}`.toUpperCase()

/** The same as one types it: without the scheme, in small letters where it may be. */
export const typedAddress = (address: string, room: string): string => {
  const join = joinAddress(address, room)
  return (hasCapitals(room) ? join : join.toLowerCase()).replace(/^https?:\/\//i, '')
}

const hasCapitals = (room: string): boolean => room !== room.toLowerCase()

/**
 * The modules of a text's code, row by row, true where they are dark; without its quiet zone. Level M: readable with up
 * to 15 % of it hidden.
 * @throws Error where the text is too long for any code (over 2,331 bytes)
 */
export function qrMatrix(text: string): boolean[][] {
  const code = qrCode(0, 'M')
  if (alphanumeric.test(text)) code.addData(text, 'Alphanumeric')
  // The package takes the low byte of each character: UTF-8 then, one character a byte.
  else code.addData(String.fromCharCode(...new TextEncoder().encode(text)), 'Byte')
  code.make()
  const side = Array.from({ length: code.getModuleCount() }, (_, index) => index)
  return side.map((row) => side.map((column) => code.isDark(row, column)))
}
