import { expect, it } from 'vitest';
import { loadSettings } from '../../settings.js';
import { KeptLogs } from '../../testing/index.js';
import { ConfigStoreService } from '../config/config-store.service.js';
import { SilentLogs } from '../telemetry/logs.js';
import { SkillsService } from './skills.service.js';

it('logs a fault once while its entry is among the last thousand that were read, and again after that', async () => {
  const logs = new KeptLogs();
  const skills = new SkillsService(
    new ConfigStoreService(loadSettings({}, {}, '/nonexistent'), new SilentLogs()),
    logs,
  );
  const readFaultOf = async (entry: string) => {
    const before = logs.lines.length;
    await skills.list({ skills: [entry] });
    return logs.lines.length - before;
  };

  expect([await readFaultOf('/nonexistent/first'), await readFaultOf('/nonexistent/first')]).toEqual([1, 0]);
  for (let n = 0; n < 1_000; n++) await readFaultOf(`/nonexistent/${n}`);
  expect(await readFaultOf('/nonexistent/first')).toBe(1);
});
