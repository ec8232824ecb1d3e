/**
 * What Nest leaves undone for classes decorated with `@WebSocketGateway`: its filter context knows no global filters,
 * it does not wait for `handleConnection`, and of two handlers for one type it would take whichever came first.
 */
import type { INestApplicationContext } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import { EXCEPTION_FILTERS_METADATA } from '@nestjs/common/internal';
import { GATEWAY_METADATA, GATEWAY_OPTIONS, MESSAGE_METADATA } from '@nestjs/websockets/internal';
import { inboundTable } from '../protocol/index.js';
import { EXTENSION_TYPE } from '../core/connections/frame-type.registry.js';
import { FrameExceptionFilter } from './frame-exception.filter.js';

/** A class of ours or of a team that serves frames. */
export interface GatewayClass {
  readonly name: string;
  readonly instance: object & { handleConnection?: (...args: unknown[]) => unknown };
  readonly prototype: object;
}

/** The gateway classes of an application, before Nest connects them to the server. */
export function listGatewayClasses(app: INestApplicationContext): GatewayClass[] {
  const wrappers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.providers.values()]);
  return wrappers.flatMap(({ metatype, instance }) => {
    if (typeof metatype !== 'function' || !Reflect.hasMetadata(GATEWAY_METADATA, metatype)) return [];
    return [{ name: metatype.name, instance: instance as GatewayClass['instance'], prototype: metatype.prototype as object }];
  });
}

/**
 * Checks what the classes want to handle.
 * @throws Error when two handle the same type, a type is neither the protocol's nor `vendor.name`, or a class wants a
 *   path or a namespace of its own
 */
export function checkGatewayClasses(classes: readonly GatewayClass[]): void {
  const owners = new Map<string, string>();
  for (const { name, prototype } of classes) {
    const options = Reflect.getMetadata(GATEWAY_OPTIONS, prototype.constructor) as { path?: string; namespace?: string } | undefined;
    if (options?.path ?? options?.namespace) throw new Error(`${name}: a gateway class has no path or namespace of its own; the path is /`);
    for (const type of listTypes(prototype)) {
      if (!Object.hasOwn(inboundTable, type) && !EXTENSION_TYPE.test(type)) {
        throw new Error(`${name} handles "${type}", which is no frame type: those of extensions are called vendor.name`);
      }
      const owner = owners.get(type);
      if (owner !== undefined) throw new Error(`${owner} and ${name} both handle "${type}"`);
      owners.set(type, name);
    }
  }
}

/** Has every failure of a gateway class answered with an `error` frame; filters of its own still come first. */
export function installFrameFilter({ prototype }: GatewayClass): void {
  const { constructor: type } = prototype;
  const own = (Reflect.getOwnMetadata(EXCEPTION_FILTERS_METADATA, type) as unknown[] | undefined) ?? [];
  if (own.some((filter) => filter instanceof FrameExceptionFilter)) return;
  Reflect.defineMetadata(EXCEPTION_FILTERS_METADATA, [new FrameExceptionFilter(), ...own], type);
}

/** Has `onResult` told what `handleConnection` did: nothing, a promise, or a failure as a rejected promise. */
export function watchHandleConnection<C>({ instance }: GatewayClass, onResult: (connection: C, result: Promise<void>) => void): void {
  const original = instance.handleConnection?.bind(instance);
  if (!original) return;
  instance.handleConnection = (connection, ...rest) => {
    try {
      const result = original(connection, ...rest);
      if (result instanceof Promise) onResult(connection as C, result as Promise<void>);
    } catch (error) {
      onResult(connection as C, Promise.reject(error as Error));
    }
  };
}

function listTypes(prototype: object): string[] {
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((method) => {
    const handler = (prototype as Record<string, object>)[method] as object;
    return Reflect.hasMetadata(MESSAGE_METADATA, handler) ? [String(Reflect.getMetadata(MESSAGE_METADATA, handler))] : [];
  });
}
