import { acknowledge } from './acknowledge.ts';
import { beside } from './beside.ts';
import { bindings } from './bindings.ts';
import { block } from './block.ts';
import { depth } from './depth.ts';
import { fanOut } from './fan-out.ts';
import { participants, sessions, storedMessages } from './growth.ts';
import { idle } from './idle.ts';
import { loneAck } from './lone-ack.ts';
import { modelTurn } from './model-turn.ts';
import type { Scenario } from './scenario.ts';
import { startUp } from './start-up.ts';
import { traces } from './traces.ts';
import { turn } from './turn.ts';

/** In the order of a round. */
export const scenarios: readonly Scenario[] = [
  startUp,
  acknowledge,
  turn,
  traces,
  bindings,
  modelTurn,
  loneAck,
  beside,
  fanOut,
  idle,
  depth,
  block,
  storedMessages,
  participants,
  sessions,
];
