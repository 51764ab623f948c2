/** Seeds of one's own, out of one seed and a name: what one draws is the same whatever others do. */

/** FNV-1a over the name's UTF-16 units, from the seed on. */
export function mixed(seed: number, name: string): number {
  let hash = seed | 0
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  return hash
}
