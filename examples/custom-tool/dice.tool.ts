import { randomInt } from 'node:crypto';
import { Tool, type ToolExecutor } from 'openclaw-gateway-nest';
import Type, { type Static } from 'typebox';

const Parameters = Type.Object(
  { sides: Type.Integer({ minimum: 2, maximum: 1_000, description: 'How many sides the die has.' }) },
  { additionalProperties: false },
);

/** Throws a die. A second throw after a crash would be another throw, so it is not idempotent. */
@Tool({
  name: 'acme.dice',
  description: 'Throws a die.',
  parameters: Parameters,
  permissions: ['games'],
  timeoutMs: 1_000,
})
export class DiceTool implements ToolExecutor<typeof Parameters> {
  execute({ sides }: Static<typeof Parameters>): { eyes: number } {
    return { eyes: randomInt(1, sides + 1) };
  }
}
