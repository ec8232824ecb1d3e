import { BadRequestException } from '@nestjs/common';
import { checkSize } from '../../protocol/codec.js';
import { findTextFault } from '../../protocol/faults.js';
import type { GatewayError } from '../../protocol/index.js';

/**
 * Refuses the text of a body that is costly to parse, or has a text that stores cannot keep.
 * @param maxValues by default that of a frame
 * @throws BadRequestException with the reason
 */
export function checkJson(source: string, maxValues?: number): void {
  try {
    checkSize(source, maxValues);
  } catch (error) {
    throw refuse((error as GatewayError<'INVALID_FRAME'>).details.reason);
  }
  const fault = findTextFault(() => parse(source), source);
  if (fault) throw refuse(`${fault.pointer || '/'} ${fault.message}`);
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw refuse('it is not JSON');
  }
}

function refuse(reason: string): BadRequestException {
  return new BadRequestException(`The body is not read: ${reason}`);
}
