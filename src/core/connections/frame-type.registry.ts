import { Injectable } from '@nestjs/common';
import type { TSchema } from 'typebox';
import type { Scope } from '../../protocol/domain.js';

/** What an extension says of a frame type of its own. */
export interface FrameType {
  readonly payload: TSchema;
  /** What a credential must hold to send it; none when it is missing. */
  readonly scope?: Scope;
}

/** `vendor.name`; names without a dot are the protocol's. */
export const EXTENSION_TYPE = /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/;

/** The inbound frame types of extensions. A team's module registers its own before its first frame can come. */
@Injectable()
export class FrameTypeRegistry {
  private readonly types = new Map<string, FrameType>();

  /**
   * Has payloads of `type` checked before its handler sees them.
   * @throws Error when the name is not `vendor.name`, or is taken
   */
  register(type: string, definition: FrameType): void {
    if (!EXTENSION_TYPE.test(type))
      throw new Error(`"${type}" cannot be a frame type of an extension: those are called vendor.name`);
    if (this.types.has(type)) throw new Error(`the frame type "${type}" is registered twice`);
    this.types.set(type, definition);
  }

  find(type: string): FrameType | undefined {
    return this.types.get(type);
  }
}
