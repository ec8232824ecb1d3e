/** Shared by all HTTP endpoints: the server and its limits, Host and Origin rules, problem+json. */
export {
  createHttpAdapter,
  createHttpServerOptions,
  GatewayHttpAdapter,
  HTTP_LIMITS,
  type HttpLimits,
} from './gateway-http.adapter.js';
export { EventStreamsService, RESET, type EventSource, type StreamedEvent } from './event-streams.service.js';
export { readChunks } from './bodies/body-chunks.js';
export { HttpModule } from './http.module.js';
export { JSON_LINES_CONTENT, sendJsonLines } from './bodies/json-lines.js';
export { ANY_JSON, toOpenApiSchema } from './documents/json-schema.js';
export { sendBody } from './bodies/send-body.js';
export { LargeJsonBody, SignedBodies } from './bodies/large-json-body.js';
export { validated } from './validated.js';
export { MayBeAbsent } from './may-be-absent.js';
export { codedProblem, plainProblem, PROBLEM_MEDIA_TYPE, type Problem } from './problem.js';
