import { ValidationPipe, type ValidationError } from '@nestjs/common';
import { GatewayError, type PayloadFault } from '../protocol/index.js';

/** Maximum number of faults that a refusal lists. */
const MAX_FAULTS = 20;

/**
 * Makes the pipe that checks a body or a query against its class, and refuses fields that the class does not have. A refusal
 * names each fault by a JSON pointer.
 */
export function validated(): ValidationPipe {
  return new ValidationPipe({
    whitelist: true,
    forbidNonWhitelisted: true,
    transform: true,
    exceptionFactory: (errors) =>
      new GatewayError('INVALID_PAYLOAD', {
        faults: errors.flatMap((error) => listFaults(error, '')).slice(0, MAX_FAULTS),
      }),
  });
}

function listFaults({ property, constraints = {}, children = [] }: ValidationError, outer: string): PayloadFault[] {
  const pointer = `${outer}/${property.replaceAll('~', '~0').replaceAll('/', '~1')}`;
  const own = Object.values(constraints).map((message) => ({ pointer, message }));
  return [...own, ...children.flatMap((child) => listFaults(child, pointer))];
}
