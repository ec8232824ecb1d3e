/**
 * The process of the attackers: `attackers.ts PORT ATTACK TOKEN...`, one attacker for each token. Without the name of an attack
 * (an empty text) they are of all kinds in turn. Ends when it is killed.
 */
import { attacks, repeat } from './attacks.ts';

const [port, only = '', ...tokens] = process.argv.slice(2);
const kinds = Object.entries(attacks).flatMap(([name, attack]) => (only === '' || name === only ? [attack] : []));
if (kinds.length === 0) throw new Error(`there is no attack "${only}", but: ${Object.keys(attacks).join(', ')}`);
await Promise.all(
  tokens.flatMap((token, n) => {
    const attack = kinds[n % kinds.length];
    return attack ? [repeat(attack, { port: Number(port), token })] : [];
  }),
);
