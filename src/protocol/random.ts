/** Random names from the platform's cryptographic source: epochs, tags, message and member ids; and times to come back. */

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** `length` characters of base64url's alphabet, 6 random bits each. */
export function randomText(length: number): string {
  let text = ''
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) text += alphabet[byte & 63]
  return text
}

/** A whole number of ms, drawn evenly: what many are told is not to be the same for all. */
export function drawMs(least: number, most: number): number {
  return Math.round(least + Math.random() * (most - least))
}
