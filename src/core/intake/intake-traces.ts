import type { MessageInPayload } from '../../protocol/domain.js';
import type { Principal } from '../identity/principal.js';
import type { AcceptedMessage, Done } from '../store/index.js';
import { readTraceparent, writeTraceparent, type Trace } from '../telemetry/traceparent.js';
import type { Tracing } from '../telemetry/tracing.js';

/** A message whose accept is traced. */
export interface TracedAccept {
  /** The context that is stored with the message. */
  readonly trace: Trace | undefined;
  readonly done: Done<AcceptedMessage>;
}

/** Starts the span of the accept of a message, which `done` ends. */
export function traceAccept(
  tracing: Tracing,
  { role }: Principal,
  { channel, metadata }: MessageInPayload,
  done: Done<AcceptedMessage>,
): TracedAccept {
  const sent = readTraceparent(metadata?.['traceparent']);
  const context = sent && writeTraceparent(sent);
  // People and devices must not decide what is recorded.
  const isTrusted = role === 'channel' || role === 'operator';
  const span = tracing.start('accept message', {
    kind: 'server',
    ...(context !== undefined && { [isTrusted ? 'parent' : 'link']: context }),
    attributes: { 'openclaw.channel': channel, 'openclaw.role': role },
  });
  return {
    trace: span.trace,
    done: (outcome) => {
      if (outcome instanceof Error) span.end('code' in outcome ? String(outcome.code) : 'INTERNAL');
      else {
        const { kind, status, messageRef } = outcome;
        span.set({
          'openclaw.status': kind === 'duplicate' ? kind : status,
          'openclaw.message_ref': messageRef,
        });
        span.end();
      }
      done(outcome);
    },
  };
}
