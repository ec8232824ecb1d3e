import { DeliveryError, DriverError } from '../driver.js';

/** Returns the fault that ends a run: what a platform refuses at its start is for an operator to repair. */
export function toFault(error: unknown): DriverError {
  if (error instanceof DriverError) return error;
  const isRefused = error instanceof DeliveryError && error.outcome === 'refused';
  const message = error instanceof Error ? error.message : String(error);
  return new DriverError(isRefused ? 'misconfigured' : 'unreachable', message, { cause: error });
}
