import { execFileSync } from 'node:child_process';
import { startGateway, TemporaryFolder } from '../servers.ts';
import { median } from '../statistics.ts';
import type { Scenario } from './scenario.ts';

const STARTS = 3;

/** G7 and G8: CPU and memory until the gateway is ready, with a new database. */
export const startUp: Scenario = {
  name: 'start-up',
  figures: ['G7', 'G8'],
  async measure(size) {
    const cpuUs: number[] = [];
    const rssBytes: number[] = [];
    const bareUs: number[] = [];
    for (let i = 0; i < size.pick(STARTS, 1); i++) {
      bareUs.push(measureBareStart());
      using folder = new TemporaryFolder();
      await using gateway = await startGateway({ folder });
      const usage = gateway.usage();
      cpuUs.push(usage.cpuUs);
      rssBytes.push(usage.rssBytes);
    }
    return {
      G7: median(cpuUs) / median(bareUs),
      G8: median(rssBytes) / 1_048_576,
      'start: CPU ms until ready': median(cpuUs) / 1_000,
      'node -e "require(\'ws\')": CPU ms': median(bareUs) / 1_000,
    };
  },
};

/** Returns the CPU of Node with only `ws` loaded, in microseconds, as the process itself reports it. */
function measureBareStart(): number {
  const script =
    "require('ws'); const { user, system } = process.cpuUsage(); process.stdout.write(String(user + system))";
  return Number(execFileSync(process.execPath, ['-e', script]).toString());
}
