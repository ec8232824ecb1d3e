import type { TSchema } from 'typebox';
import { describe, expect, it } from 'vitest';
import { FAILPOINTS } from '../../src/core/failpoints/failpoint.js';
import { PRIORITIES } from '../../src/core/store/index.js';
import { SUBSYSTEMS } from '../../src/core/telemetry/logs.js';
import {
  AckStatus,
  BEARER_SUBPROTOCOL_PREFIX,
  BlockType,
  closeTable,
  EndReason,
  ENVELOPE_LIMITS,
  errorTable,
  inboundTable,
  MAX_CONTENT_LENGTH,
  MessageStatus,
  outboundTable,
  PresenceStatus,
  PROTOCOL_VERSION,
  SCOPES,
  SessionMode,
  SUBPROTOCOL,
  ToolCallStatus,
} from '../../src/protocol/index.js';

/*
 * Names that other programs have in their source. A change here breaks them: it needs a line in CHANGELOG.md, and on the
 * wire a new protocol number.
 */
describe('pinned on the wire', () => {
  const literals = (schema: TSchema) => (schema as unknown as { enum: readonly string[] }).enum;
  const fields = (schema: TSchema) => {
    const { properties, required = [] } = schema as unknown as { properties: object; required?: readonly string[] };
    return Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`));
  };

  it('the protocol number, the subprotocols and the limits of the envelope', () => {
    expect(PROTOCOL_VERSION).toBe(1);
    expect(SUBPROTOCOL).toBe('openclaw.v1');
    expect(BEARER_SUBPROTOCOL_PREFIX).toBe('openclaw.bearer.');
    expect(ENVELOPE_LIMITS).toMatchObject({ maxIdLength: 128, maxDepth: 32, maxValues: 4_000 });
    expect(MAX_CONTENT_LENGTH).toBe(65_536);
  });

  it('the inbound frames, their scopes and their fields', () => {
    expect(Object.entries(inboundTable).map(([type, row]) => [type, row.scope, fields(row.payload).join(' ')])).toEqual(
      [
        [
          'message_in',
          'messages:write',
          'channel sender content sender_name? group_id? thread_id? queue? sender_is_admin? is_direct_mention? is_reply_to_agent? observe? reply_to? supersedes? attachments? metadata?',
        ],
        ['presence', 'presence:write', 'channel user_id status'],
        ['reaction', 'messages:write', 'channel sender message_id emoji action'],
        ['channel_status', 'channels:write', 'channel status detail?'],
        ['resume', 'sessions:read', 'sessions?'],
        ['delivered', 'sessions:read', 'session_id seq'],
        ['history', 'sessions:read', 'limit before?'],
        ['cancel', 'messages:write', 'message_ref? message_id?'],
        ['approval', 'messages:write', 'approval_id decision arguments_sha256'],
        ['ping', undefined, ''],
        ['canvas_state', 'messages:write', 'surface_id version data'],
        ['canvas_problem', 'messages:write', 'surface_id version problem'],
        ['canvas_open', 'messages:write', 'surface_id'],
        ['node_register', 'nodes:serve', 'node_id commands platform? version?'],
        ['tool_result', 'nodes:serve', 'call_id ok content? error?'],
        ['node_event', 'nodes:serve', 'event_id? call_id? event data?'],
      ],
    );
  });

  it('the outbound frames, whether they are durable, and their fields', () => {
    expect(
      Object.entries(outboundTable).map(([type, row]) => [type, row.durable, fields(row.payload).join(' ')]),
    ).toEqual([
      [
        'connected',
        false,
        'client_id connection_id role scopes protocol server limits heartbeat_interval_ms resume_window_ms agent? session_id?',
      ],
      ['message_ack', false, 'id message_ref status mode agent priority position'],
      ['stream_block', true, 'message_id message_ref attempt index block_id block_type content metadata?'],
      ['stream_delta', false, 'message_id message_ref block_id block_type delta'],
      ['stream_restart', true, 'message_id message_ref attempt replaces_from_seq'],
      [
        'tool_status',
        true,
        'message_id message_ref call_id tool status detail? decided_by? duration_ms? approval? agent?',
      ],
      ['stream_end', true, 'id message_ref reason blocks usage? error? merged_into?'],
      ['history', false, 'messages next_before? head_seq'],
      ['resumed', false, 'session_id from_seq head_seq complete'],
      ['presence', false, 'channel user_id status last_seen'],
      ['error', false, 'code message retryable retry_after_ms? details?'],
      ['going_away', false, 'reason reconnect_after_ms'],
      ['pong', false, ''],
      ['canvas_address', false, 'surface_id version url expires_at'],
      ['node_registered', false, 'accepted waiting refused timeouts?'],
      ['tool_call', false, 'call_id command parameters timeout_ms idempotent traceparent?'],
      ['tool_cancel', false, 'call_id'],
      ['tool_result_ack', false, 'call_id'],
      ['node_event_ack', false, 'event_id'],
    ]);
  });

  it('the words that fields hold', () => {
    expect(literals(BlockType)).toEqual([
      'text',
      'code',
      'markdown',
      'tool_call',
      'tool_result',
      'canvas',
      'image',
      'audio',
      'status',
    ]);
    expect(literals(AckStatus)).toEqual(['queued', 'duplicate', 'observed']);
    expect(literals(SessionMode)).toEqual(['main', 'group', 'queue']);
    expect(literals(EndReason)).toEqual(['stop', 'cancelled', 'error', 'merged']);
    expect(literals(MessageStatus)).toEqual(['queued', 'running', 'done', 'cancelled', 'failed', 'observed']);
    expect(literals(PresenceStatus)).toEqual(['online', 'typing', 'idle', 'offline']);
    expect(literals(ToolCallStatus)).toEqual([
      ...[
        'requested',
        'awaiting_approval',
        'running',
        'progress',
        'succeeded',
        'failed',
        'denied',
        'timed_out',
        'unknown',
      ],
    ]);
    expect(PRIORITIES).toEqual([10, 5, 1]);
  });

  it('the scopes', () => {
    expect(SCOPES).toEqual([
      ...[
        'messages:write',
        'presence:write',
        'channels:write',
        'sessions:read',
        'nodes:serve',
        'admin:read',
        'admin:write',
      ],
      ...['config:write', 'config:dangerous', 'tools:call', 'tokens:write', 'audit:read', 'metrics:read'],
    ]);
  });

  it('the error codes, with their HTTP status and whether a retry can help', () => {
    expect(
      Object.entries(errorTable).map(([code, row]) => `${code} ${row.httpStatus}${row.retryable ? ' retryable' : ''}`),
    ).toEqual([
      'INVALID_FRAME 400',
      'UNKNOWN_TYPE 400',
      'INVALID_PAYLOAD 400',
      'FORBIDDEN 403',
      'NOT_FOUND 404',
      'IDEMPOTENCY_CONFLICT 409',
      'RATE_LIMITED 429 retryable',
      'QUEUE_FULL 503 retryable',
      'QUOTA_EXCEEDED 429',
      'STALE_RESUME 409',
      'STALE_VERSION 409',
      'DRAINING 503 retryable',
      'STORE_UNAVAILABLE 503 retryable',
      'TOOL_NOT_FOUND 404',
      'TOOL_DENIED 403',
      'TOOL_INVALID_PARAMETERS 400',
      'TOOL_TIMEOUT 504',
      'TOOL_FAILED 502',
      'AGENT_FAILED 502',
      'TURN_INTERRUPTED 500',
      'INTERNAL 500',
    ]);
  });

  it('the close codes', () => {
    expect(Object.entries(closeTable).map(([name, row]) => `${row.code} ${name}`)).toEqual([
      '1001 goingAway',
      '1002 protocolError',
      '1003 unsupportedData',
      '1007 invalidUtf8',
      '1009 tooBig',
      '1012 restarting',
      '1013 overloaded',
      '1013 undecided',
      '1013 providerDown',
      '4001 unauthorized',
      '4001 revoked',
      '4002 invalidFrames',
      '4008 rateLimit',
      '4009 heartbeatLost',
      '4010 replaced',
      '4013 slowReader',
    ]);
  });
});

describe('pinned for operators', () => {
  it('the subsystems that log', () => {
    expect(SUBSYSTEMS).toEqual([
      'gateway',
      'router',
      'queue',
      'tools',
      'agent',
      'channels',
      'store',
      'auth',
      'config',
      'presence',
      'cron',
    ]);
  });

  it('the failpoints', () => {
    expect(FAILPOINTS).toEqual([
      'enqueue.before_commit',
      'enqueue.after_commit',
      'ack.sent',
      'claim.after',
      'model.before_journal',
      'model.mid_stream',
      'tool.after_intent',
      'tool.after_effect',
      'block.mid_batch',
      'finish.before_commit',
      'finish.after_commit',
      'delivery.before_send',
      'delivery.after_send',
      'inbox.after_commit',
      'inbound.after_ack',
      'outbox.before_send',
      'outbox.after_send',
      'node.wanted',
      'node.sent',
      'node.before_result',
      'node.after_result',
      'node.before_ack',
      'cron.after_row',
      'cron.after_accept',
      'cron.after_move',
      'drain.mid',
      'config.mid',
      'migrate.mid',
    ]);
  });
});
