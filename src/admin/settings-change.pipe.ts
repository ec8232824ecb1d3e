import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import { validated } from '../http/index.js';

/**
 * Checks the form of a change of settings. Its values are left as they are, because the settings check them: class-transformer
 * would copy 10,000 bindings, which blocks the process for half a second.
 */
export class SettingsChangePipe implements PipeTransform<unknown, Promise<unknown>> {
  private readonly form = validated();

  async transform(body: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    await this.form.transform(withoutValues(body), metadata);
    return body;
  }
}

function withoutValues(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || !('changes' in body)) return body;
  const { changes } = body;
  if (typeof changes !== 'object' || changes === null || Array.isArray(changes)) return body;
  return { ...body, changes: Object.fromEntries(Object.keys(changes).map((key) => [key, null])) };
}
