/** The process of the attackers: `attackers.ts PORT TOKEN...`, one attacker for each token. Ends when it is killed. */
import { attacks, repeat } from './attacks.ts';

const [port, ...tokens] = process.argv.slice(2);
const kinds = Object.values(attacks);
await Promise.all(
  tokens.flatMap((token, n) => {
    const attack = kinds[n % kinds.length];
    return attack ? [repeat(attack, { port: Number(port), token })] : [];
  }),
);
