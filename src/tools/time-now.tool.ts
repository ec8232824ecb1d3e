import Type, { type Static } from 'typebox';
import { Clock } from '../core/time/clock.js';
import { Tool, type ToolExecutor } from '../core/tools/tool.decorator.js';

const Parameters = Type.Object(
  { time_zone: Type.Optional(Type.String({ description: 'IANA name, for example Europe/Berlin; UTC by default.' })) },
  { additionalProperties: false },
);

/** Returns the time in a given zone. */
@Tool({
  name: 'time.now',
  description: 'The current date and time.',
  parameters: Parameters,
  timeoutMs: 1_000,
  idempotent: true,
})
export class TimeNowTool implements ToolExecutor<typeof Parameters> {
  constructor(private readonly clock: Clock) {}

  execute({ time_zone: timeZone = 'UTC' }: Static<typeof Parameters>): { iso: string; unix_ms: number; local: string } {
    const now = new Date(this.clock.now());
    const format = createFormat(timeZone);
    return { iso: now.toISOString(), unix_ms: now.getTime(), local: `${format.format(now)} ${timeZone}` };
  }
}

function createFormat(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone });
  } catch {
    throw new Error(`there is no time zone "${timeZone}"; use an IANA name such as Europe/Berlin`);
  }
}
