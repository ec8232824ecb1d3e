import type { NodeNotice } from '../core/connections/node-notice.js';
import { encodeFrame } from '../protocol/encode.js';

/** Encodes a notice to a device node as a frame. */
export function encodeNodeNotice(notice: NodeNotice): string {
  switch (notice.what) {
    case 'registered': {
      const { requestId: correlationId, accepted, waiting, refused, timeouts } = notice;
      const payload = { accepted: [...accepted], waiting: [...waiting], refused: [...refused] };
      const hasCuts = Object.keys(timeouts).length > 0;
      return encodeFrame('node_registered', { ...payload, ...(hasCuts && { timeouts }) }, { correlationId });
    }
    case 'call': {
      const { sessionId, callId, command, parameters, timeoutMs, isIdempotent, trace } = notice;
      const payload = { call_id: callId, command, parameters, timeout_ms: timeoutMs, idempotent: isIdempotent };
      return encodeFrame(
        'tool_call',
        { ...payload, ...(trace !== undefined && { traceparent: trace }) },
        { sessionId },
      );
    }
    case 'cancel':
      return encodeFrame('tool_cancel', { call_id: notice.callId });
    case 'resultTaken':
      return encodeFrame('tool_result_ack', { call_id: notice.callId }, { correlationId: notice.requestId });
    case 'eventTaken':
      return encodeFrame('node_event_ack', { event_id: notice.eventId }, { correlationId: notice.requestId });
  }
}
