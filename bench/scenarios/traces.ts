import { startPeer } from '../servers.ts';
import type { Scenario } from './scenario.ts';
import { measureTurns } from './turn.ts';

/** Additional details for G3: what traces add to a complete turn of three spans. */
export const traces: Scenario = {
  name: 'complete turns with traces',
  figures: ['G3'],
  async measure(size) {
    await using collector = await startPeer('collector');
    const env = { OPENCLAW_TELEMETRY_TRACES_ENDPOINT: `http://127.0.0.1:${collector.port}/v1/traces` };
    const withoutUs = await measureTurns(size);
    const exportedUs = await measureTurns(size, { env });
    const unrecordedUs = await measureTurns(size, { env, isUnrecorded: true });
    return {
      'complete turn: all traces exported / none made': exportedUs / withoutUs,
      'complete turn: traces passed on, none recorded / none made': unrecordedUs / withoutUs,
    };
  },
};
