import { DriverError } from '../../core/channels/driver.js';
import { RefusedCallError } from './web-api.js';

/** Returns the fault that ends a run. */
export function toFault(error: unknown): DriverError {
  if (error instanceof DriverError) return error;
  const fault = error instanceof RefusedCallError ? 'misconfigured' : 'unreachable';
  return new DriverError(fault, error instanceof Error ? error.message : String(error));
}
