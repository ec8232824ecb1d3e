import { randomInt } from 'node:crypto';
import { ConfigStoreService, Tool, UseSettings, type ToolExecutor } from 'openclaw-gateway-nest';
import Type, { type Static } from 'typebox';
import { diceSettings } from './dice.settings.js';

const Parameters = Type.Object(
  { sides: Type.Integer({ minimum: 2, maximum: 1_000, description: 'The number of sides.' }) },
  { additionalProperties: false },
);

/** Rolls a die. Repeating it after a crash would give another result, so it is not idempotent. */
@UseSettings(diceSettings)
@Tool({
  name: 'acme.dice',
  description: 'Rolls a die.',
  parameters: Parameters,
  permissions: ['games'],
  timeoutMs: 1_000,
})
export class DiceTool implements ToolExecutor<typeof Parameters> {
  constructor(private readonly config: ConfigStoreService) {}

  /** Reads the settings at each call, so that a change at run time takes effect. */
  execute({ sides }: Static<typeof Parameters>): { eyes: number } {
    const maxSides = this.config.get('acme.dice.max_sides');
    if (sides > maxSides) throw new Error(`a die has at most ${maxSides} sides`);
    const lucky = this.config.get('acme.dice.lucky_number');
    return { eyes: lucky !== undefined && lucky <= sides ? lucky : randomInt(1, sides + 1) };
  }
}
