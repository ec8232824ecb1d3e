import {
  BEARER_SUBPROTOCOL_PREFIX,
  closeTable,
  errorTable,
  InboundEnvelope,
  inboundTable,
  outboundTable,
  PROTOCOL_VERSION,
  SUBPROTOCOL,
  type InboundRow,
  type InboundType,
  type OutboundRow,
  type OutboundType,
} from '../protocol/index.js';
import { toJsonSchema } from './documents/json-schema.js';

/** JSON Schema or any other JSON object in a document. */
type Json = Record<string, unknown>;

/** The response to each inbound frame type that is not refused; every frame may instead get an `error`. */
const RESPONSES: Partial<Record<InboundType, OutboundType>> = {
  message_in: 'message_ack',
  resume: 'resumed',
  history: 'history',
  cancel: 'stream_end',
  ping: 'pong',
  node_register: 'node_registered',
  tool_result: 'tool_result_ack',
  node_event: 'node_event_ack',
};

/** Conditions of the gateway beyond the schema of a payload, as JSON Schema. */
const CONDITIONS: Partial<Record<InboundType, Json>> = {
  message_in: {
    anyOf: [
      { properties: { content: { minLength: 1 } } },
      { required: ['attachments'], properties: { attachments: { minItems: 1 } } },
    ],
  },
  reaction: { anyOf: [{ properties: { emoji: { minLength: 1 } } }, { properties: { action: { const: 'removed' } } }] },
};

const CHANNEL = '#/channels/gateway';

const SECURITY_SCHEMES: Json = {
  bearer: {
    type: 'http',
    scheme: 'bearer',
    description: '`Authorization: Bearer TOKEN` in the upgrade request.',
  },
  subprotocol: {
    type: 'httpApiKey',
    in: 'header',
    name: 'Sec-WebSocket-Protocol',
    description: `For browsers: \`${SUBPROTOCOL}, ${BEARER_SUBPROTOCOL_PREFIX}TOKEN\`; the gateway echoes \`${SUBPROTOCOL}\` only.`,
  },
};

/** Builds the AsyncAPI 3.0 document of the WebSocket protocol from the schemas with which the gateway validates. */
export function buildAsyncApi(): Json {
  const inbound = Object.entries<InboundRow>(inboundTable);
  const outbound = Object.entries<OutboundRow>(outboundTable);
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'OpenClaw gateway: WebSocket protocol',
      version: String(PROTOCOL_VERSION),
      description:
        'JSON envelopes in WebSocket text frames, one per frame. Names are snake_case, times are Unix milliseconds. ' +
        'Unknown fields of the envelope and of a payload are refused; only `metadata` is free-form.',
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      local: {
        host: '127.0.0.1:18789',
        protocol: 'ws',
        description: 'The default address of a gateway.',
        security: [
          { $ref: '#/components/securitySchemes/bearer' },
          { $ref: '#/components/securitySchemes/subprotocol' },
        ],
      },
    },
    channels: { gateway: describeChannel(inbound, outbound) },
    operations: Object.fromEntries([
      ...inbound.map(([type, row]) => [`receive.${type}`, describeReceive(type, row)]),
      ...outbound.map(([type, row]) => [`send.${type}`, describeSend(type, row)]),
    ]) as Json,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      messages: Object.fromEntries([
        ...inbound.map(([type, row]) => [`client.${type}`, describeInbound(type, row)]),
        ...outbound.map(([type, row]) => [`gateway.${type}`, describeOutbound(type, row)]),
      ]) as Json,
    },
  };
}

function describeChannel(inbound: [string, InboundRow][], outbound: [string, OutboundRow][]): Json {
  const names = [...inbound.map(([type]) => `client.${type}`), ...outbound.map(([type]) => `gateway.${type}`)];
  return {
    address: '/',
    description: 'The only WebSocket endpoint. The first frame of the gateway is `connected`.',
    messages: Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: { ws: { method: 'GET', query: QUERY, bindingVersion: '0.1.0' } },
    'x-error-codes': Object.fromEntries(
      Object.entries(errorTable).map(([code, { retryable, when, action }]) => [code, { retryable, when, action }]),
    ),
    'x-close-codes': Object.values(closeTable),
  };
}

const QUERY: Json = {
  type: 'object',
  properties: {
    client_id: {
      type: 'string',
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      description: 'The id of this client; by default the gateway generates one.',
    },
    tenant: {
      type: 'string',
      minLength: 1,
      maxLength: 256,
      description: 'For operators of all tenants: the one in which they speak; by default `default`.',
    },
    stream: { type: 'string', enum: ['delta'], description: 'Send `stream_delta` frames as well.' },
    subscribe: { type: 'string', enum: ['presence'], description: 'For operators: send presence changes as well.' },
  },
};

function describeReceive(type: string, row: InboundRow): Json {
  const response = RESPONSES[type as InboundType];
  const responses = [...(response === undefined ? [] : [response]), 'error'];
  return {
    action: 'receive',
    channel: { $ref: CHANNEL },
    summary: row.summary,
    ...(row.scope === undefined ? {} : { description: `Requires the scope \`${row.scope}\`.` }),
    messages: [{ $ref: `${CHANNEL}/messages/client.${type}` }],
    reply: {
      channel: { $ref: CHANNEL },
      messages: responses.map((name) => ({ $ref: `${CHANNEL}/messages/gateway.${name}` })),
    },
  };
}

function describeSend(type: string, row: OutboundRow): Json {
  return {
    action: 'send',
    channel: { $ref: CHANNEL },
    summary: row.summary,
    messages: [{ $ref: `${CHANNEL}/messages/gateway.${type}` }],
  };
}

function describeInbound(type: string, row: InboundRow): Json {
  const envelope = toJsonSchema(InboundEnvelope);
  const payload = { ...toJsonSchema(row.payload), ...CONDITIONS[type as InboundType] };
  const properties = { ...(envelope['properties'] as Json), type: { const: type }, payload };
  return { name: type, summary: row.summary, payload: { ...envelope, properties } };
}

function describeOutbound(type: string, row: OutboundRow): Json {
  return {
    name: type,
    summary: row.summary,
    payload: {
      type: 'object',
      required: ['type', 'id', 'timestamp', 'payload', ...(row.durable ? ['session_id', 'seq'] : [])],
      properties: {
        type: { const: type },
        id: { type: 'string' },
        timestamp: { type: 'integer', description: "The gateway's clock in Unix milliseconds." },
        session_id: { type: 'string', description: 'On every frame about a session.' },
        ...(row.durable
          ? { seq: { type: 'integer', minimum: 1, description: "Its position in the session's log, dense from 1." } }
          : {}),
        correlation_id: { type: 'string', description: 'The `id` of the inbound frame that this one responds to.' },
        payload: toJsonSchema(row.payload),
      },
    },
  };
}
