/** Elements of HTML and SVG as text: what is put in is escaped, once, here. */

type Attribute = string | number | undefined

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export const escape = (text: string): string => text.replace(/[&<>"']/g, (sign) => entities[sign]!)

/** `children` are markup already. Numbers are cut to hundredths: nobody sees less in a drawing. */
export function element(name: string, attributes: Readonly<Record<string, Attribute>> = {}, ...children: readonly string[]): string {
  const written = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escape(typeof value === 'number' ? String(Math.round(value * 100) / 100) : value!)}"`)
  return `<${name}${written.join('')}>${children.join('')}</${name}>`
}

/** JSON as it may stand within `<script type="application/json">`: nothing in it can end the element. */
export const embedded = (value: unknown): string => JSON.stringify(value).replace(/</g, '\\u003c')
