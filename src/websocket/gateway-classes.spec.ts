import { UseFilters, UseGuards, UseInterceptors, UsePipes, type CanActivate } from '@nestjs/common';
import { EXCEPTION_FILTERS_METADATA } from '@nestjs/common/internal';
import { MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets';
import { describe, expect, it } from 'vitest';
import { installFrameFilter, listDirectHandlers, watchHandleConnection, type GatewayClass } from './gateway-classes.js';
import { FrameExceptionFilter } from './frame-exception.filter.js';

const guard: CanActivate = { canActivate: () => true };
const filter = { catch: () => {} };

function aClass(type: new () => object, isStatic = true): GatewayClass {
  return { name: type.name, instance: new type(), prototype: type.prototype as object, isStatic };
}
const directTypes = (gatewayClass: GatewayClass) => listDirectHandlers(gatewayClass).map(([type]) => type);

describe("handlers that are called without Nest's pipeline", () => {
  @WebSocketGateway(18789)
  class Plain {
    readonly name = 'plain';

    @SubscribeMessage('ping')
    ping(): string {
      return this.name;
    }

    @SubscribeMessage('acme.extension')
    extension(): void {}

    @UseGuards(guard)
    @SubscribeMessage('presence')
    guarded(): void {}

    @UsePipes({ transform: (value: unknown) => value })
    @SubscribeMessage('reaction')
    piped(): void {}

    @UseInterceptors({ intercept: (_, next) => next.handle() })
    @SubscribeMessage('resume')
    intercepted(): void {}

    @UseFilters(filter)
    @SubscribeMessage('cancel')
    filtered(): void {}

    @SubscribeMessage('history')
    withParameters(@MessageBody() body: object): object {
      return body;
    }
  }

  it('are those of the protocol without enhancers, bound to their class', () => {
    const handlers = listDirectHandlers(aClass(Plain));
    expect(handlers.map(([type]) => type)).toEqual(['ping']);
    expect(handlers[0]![1](undefined as never, undefined as never)).toBe('plain');
  });

  it('are the same when the frame filter is already there, as in a second application of one process', () => {
    const gatewayClass = aClass(Plain);
    installFrameFilter(gatewayClass);
    installFrameFilter(gatewayClass);
    expect(directTypes(gatewayClass)).toEqual(['ping']);
    const filters = Reflect.getMetadata(EXCEPTION_FILTERS_METADATA, Plain) as unknown[];
    expect(filters.filter((one) => one instanceof FrameExceptionFilter)).toHaveLength(1);
  });

  it('exclude classes with enhancers and request-scoped classes', () => {
    @UseGuards(guard)
    @WebSocketGateway(18789)
    class Guarded {
      @SubscribeMessage('ping')
      ping(): void {}
    }
    expect(directTypes(aClass(Guarded))).toEqual([]);
    expect(directTypes(aClass(Plain, false))).toEqual([]);
  });
});

describe('the frame filter', () => {
  it('is last, after those of the class, because Nest tries the last one first', () => {
    @UseFilters(filter)
    @WebSocketGateway(18789)
    class Own {}
    installFrameFilter(aClass(Own));
    expect(Reflect.getMetadata(EXCEPTION_FILTERS_METADATA, Own)).toEqual([expect.any(FrameExceptionFilter), filter]);
  });
});

describe('handleConnection', () => {
  it('is wrapped: its promise and its failure are reported, and it is called unchanged', async () => {
    const outcomes: unknown[] = [];
    class Connecting {
      calls: unknown[][] = [];
      handleConnection(...args: unknown[]): Promise<void> | undefined {
        this.calls.push(args);
        if (args[0] === 'fails') throw new Error('no');
        return args[0] === 'waits' ? Promise.resolve() : undefined;
      }
    }
    const gatewayClass = aClass(Connecting);
    watchHandleConnection<string>(gatewayClass, (connection, result) =>
      outcomes.push([
        connection,
        result.then(
          () => 'ready',
          () => 'failed',
        ),
      ]),
    );
    for (const connection of ['waits', 'is quick', 'fails'])
      gatewayClass.instance.handleConnection?.(connection, 'request');
    expect((gatewayClass.instance as Connecting).calls).toEqual([
      ['waits', 'request'],
      ['is quick', 'request'],
      ['fails', 'request'],
    ]);
    expect(
      await Promise.all((outcomes as [string, Promise<string>][]).map(async ([name, result]) => [name, await result])),
    ).toEqual([
      ['waits', 'ready'],
      ['fails', 'failed'],
    ]);
  });

  it('may be missing', () => {
    class Silent {}
    const gatewayClass = aClass(Silent);
    watchHandleConnection(gatewayClass, () => {});
    expect(gatewayClass.instance.handleConnection).toBeUndefined();
  });
});
