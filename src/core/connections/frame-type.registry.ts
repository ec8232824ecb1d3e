import { Injectable } from '@nestjs/common';
import type { TSchema } from 'typebox';
import type { Scope } from '../../protocol/domain.js';

/** The definition of a frame type of an extension. */
export interface FrameType {
  readonly payload: TSchema;
  /** The scope that a credential must hold to send it. Without it, every credential may. */
  readonly scope?: Scope;
}

/** Matches `vendor.name`. Names without a dot are reserved for the protocol. */
export const EXTENSION_TYPE = /^[a-z0-9_-]+(\.[a-z0-9_-]+)+$/;

/** The inbound frame types of extensions. A module registers its types before the port opens. */
@Injectable()
export class FrameTypeRegistry {
  private readonly types = new Map<string, FrameType>();

  /**
   * Registers a type. Its payloads are checked against the schema before the handler is called.
   * @throws Error when the name is not `vendor.name`, or is already registered
   */
  register(type: string, definition: FrameType): void {
    if (!EXTENSION_TYPE.test(type))
      throw new Error(`"${type}" is not a frame type of an extension: name it vendor.name`);
    if (this.types.has(type)) throw new Error(`the frame type "${type}" is registered twice`);
    this.types.set(type, definition);
  }

  find(type: string): FrameType | undefined {
    return this.types.get(type);
  }
}
