import { acknowledge } from './acknowledge.ts';
import { loneAck } from './lone-ack.ts';
import type { Scenario } from './scenario.ts';

/** In the order in which a round runs them. */
export const scenarios: readonly Scenario[] = [acknowledge, loneAck];
