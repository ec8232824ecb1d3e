import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { close } from './loopback.js';

/** A span as a collector gets it. */
export interface SeenSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
}

interface OtlpSpan extends Omit<SeenSpan, 'attributes' | 'links' | 'isError'> {
  readonly links?: SeenSpan['links'];
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

const ERROR = 2;

/** A collector of traces by OTLP over HTTP, as JSON, which records what it gets. */
export class TraceCollector {
  readonly spans: SeenSpan[] = [];
  readonly resources: Readonly<Record<string, unknown>>[] = [];
  readonly authorizations: (string | undefined)[] = [];
  requests = 0;
  /** The response to a request. */
  answer: (response: ServerResponse) => void = (response) =>
    response.setHeader('Content-Type', 'application/json').end('{}');

  private constructor(private readonly server: Server) {}

  static async start(): Promise<TraceCollector> {
    const server = createServer();
    const collector = new TraceCollector(server);
    server.on('request', (request, response) => {
      collector.requests++;
      collector.authorizations.push(request.headers.authorization);
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        collector.take(JSON.parse(body) as OtlpRequest);
        collector.answer(response);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return collector;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1/traces`;
  }

  /** Returns the spans with a name, or whose name begins with it and a space, in the order of their arrival. */
  named(name: string): readonly SeenSpan[] {
    return this.spans.filter((span) => span.name === name || span.name.startsWith(`${name} `));
  }

  only(name: string): SeenSpan {
    const [span, ...others] = this.named(name);
    if (!span || others.length > 0) throw new Error(`${others.length + (span ? 1 : 0)} spans are named ${name}`);
    return span;
  }

  async stop(): Promise<void> {
    await close(this.server);
  }

  private take({ resourceSpans }: OtlpRequest): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      this.resources.push(toFields(resource.attributes));
      for (const { attributes, links = [], status, ...span } of scopeSpans.flatMap(({ spans }) => spans))
        this.spans.push({ ...span, links, attributes: toFields(attributes), isError: status.code === ERROR });
    }
  }
}

function toFields(attributes: OtlpSpan['attributes']): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
