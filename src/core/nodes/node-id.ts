/** The IDs of nodes. */
export const NODE_ID = /^[a-z0-9-]{1,64}$/;

const MAX_LENGTH = 64;

/** Room for `-` and a number that makes an ID unique. */
const SUFFIX_LENGTH = 6;

/**
 * Returns the ID of a node with this name: `Kitchen Mac` becomes `kitchen-mac`.
 * @param random for a name that becomes empty, such as one without Latin letters
 * @param isTaken called with candidates until it returns false
 */
export function chooseNodeId(name: string, random: string, isTaken: (nodeId: string) => boolean): string {
  const slug = name
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_LENGTH - SUFFIX_LENGTH)
    .replaceAll(/^-+|-+$/g, '');
  const base = slug === '' ? `node-${random}` : slug;
  if (!isTaken(base)) return base;
  for (let number = 2; ; number++) if (!isTaken(`${base}-${number}`)) return `${base}-${number}`;
}
