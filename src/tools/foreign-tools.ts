import { Global, Injectable, Module } from '@nestjs/common';
import type { TSchema } from 'typebox';
import { ForeignTools, type VettedTool } from '../core/tools/foreign-tools.js';
import { guardSchema } from '../core/tools/schema-guard.js';
import { compileForeignSchema } from './foreign-schemas.js';
import { toPlainText } from './plain-text.js';

const MAX_DESCRIPTION_LENGTH = 2_048;

/** Vets foreign tools with the guard of schemas and a compiler that is loaded with the first one. */
@Injectable()
export class CompiledForeignTools extends ForeignTools {
  override vet(description: string, schema: unknown): Promise<VettedTool> {
    return vetForeignTool(description, schema);
  }
}

/** See {@link ForeignTools.vet}. */
export async function vetForeignTool(description: string, schema: unknown): Promise<VettedTool> {
  const guarded = guardSchema(schema);
  if (!guarded.ok) throw new Error(`its schema cannot be used: ${guarded.fault}`);
  const shown = showPlainly(guarded.schema);
  return {
    description: plain(description),
    parameters: shown as unknown as TSchema,
    findFaults: await compileForeignSchema(shown),
  };
}

function plain(text: string): string {
  return toPlainText(text.slice(0, MAX_DESCRIPTION_LENGTH));
}

/** Cleans titles and descriptions in a schema, which are foreign text too. */
function showPlainly(schema: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const reviver = (key: string, value: unknown) =>
    (key === 'description' || key === 'title') && typeof value === 'string' ? plain(value) : value;
  return JSON.parse(JSON.stringify(schema), reviver) as Readonly<Record<string, unknown>>;
}

/** Global, because the core registers tools of devices. */
@Global()
@Module({
  providers: [{ provide: ForeignTools, useClass: CompiledForeignTools }],
  exports: [ForeignTools],
})
export class ForeignToolsModule {}
