/**
 * Closes gaps of Nest for classes decorated with `@WebSocketGateway`: it ignores global filters, does not wait for
 * `handleConnection`, silently picks one of two handlers for the same type, and its empty pipeline costs a tenth of a
 * frame.
 */
import type { INestApplicationContext } from '@nestjs/common';
import { MetadataScanner, ModulesContainer } from '@nestjs/core';
import {
  EXCEPTION_FILTERS_METADATA,
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  ROUTE_ARGS_METADATA,
} from '@nestjs/common/internal';
import { GATEWAY_METADATA, GATEWAY_OPTIONS, MESSAGE_METADATA } from '@nestjs/websockets/internal';
import { inboundTable } from '../protocol/index.js';
import { EXTENSION_TYPE } from '../core/connections/frame-type.registry.js';
import type { FrameHandler } from './frame-dispatcher.js';
import { FrameExceptionFilter } from './frame-exception.filter.js';

/** A class that handles frames, of the gateway or of an extension. */
export interface GatewayClass {
  readonly name: string;
  readonly instance: object & { handleConnection?: (...args: unknown[]) => unknown };
  readonly prototype: object;
  /** True if there is a single instance, not one per request. */
  readonly isStatic: boolean;
}

/** Metadata that only Nest's pipeline applies, each a list. */
const ENHANCERS = [EXCEPTION_FILTERS_METADATA, GUARDS_METADATA, INTERCEPTORS_METADATA, PIPES_METADATA];

/** Lists the gateway classes of an application, before Nest connects them to the server. */
export function listGatewayClasses(app: INestApplicationContext): GatewayClass[] {
  const wrappers = [...app.get(ModulesContainer).values()].flatMap((module) => [...module.providers.values()]);
  return wrappers.flatMap((wrapper) => {
    const { metatype } = wrapper;
    if (typeof metatype !== 'function' || !Reflect.hasMetadata(GATEWAY_METADATA, metatype)) return [];
    const instance = wrapper.instance as GatewayClass['instance'];
    return [
      {
        name: metatype.name,
        instance,
        prototype: metatype.prototype as object,
        isStatic: wrapper.isDependencyTreeStatic(),
      },
    ];
  });
}

/**
 * Checks the frame types that the classes handle.
 * @throws Error when two handle the same type, a type is neither part of the protocol nor `vendor.name`, or a class
 *   has a path or a namespace of its own
 */
export function checkGatewayClasses(classes: readonly GatewayClass[]): void {
  const owners = new Map<string, string>();
  for (const { name, prototype } of classes) {
    const options = Reflect.getMetadata(GATEWAY_OPTIONS, prototype.constructor) as
      | { path?: string; namespace?: string }
      | undefined;
    if (options?.path ?? options?.namespace)
      throw new Error(`${name}: a gateway class has no path or namespace of its own; the path is /`);
    for (const { type } of listMethods(prototype)) {
      if (!Object.hasOwn(inboundTable, type) && !EXTENSION_TYPE.test(type)) {
        throw new Error(`${name} handles "${type}", which is not a frame type: name those of extensions vendor.name`);
      }
      const owner = owners.get(type);
      if (owner !== undefined) throw new Error(`${owner} and ${name} both handle "${type}"`);
      owners.set(type, name);
    }
  }
}

/** Adds the filter that sends an `error` frame for every failure. Filters of the class itself come first. */
export function installFrameFilter({ prototype }: GatewayClass): void {
  const { constructor: type } = prototype;
  const own = (Reflect.getMetadata(EXCEPTION_FILTERS_METADATA, type) as unknown[] | undefined) ?? [];
  if (own.some(isFrameFilter)) return;
  Reflect.defineMetadata(EXCEPTION_FILTERS_METADATA, [new FrameExceptionFilter(), ...own], type);
}

/** Calls `onResult` when `handleConnection` returned a promise, or threw, as a rejected promise. */
export function watchHandleConnection<C>(
  { instance }: GatewayClass,
  onResult: (connection: C, result: Promise<void>) => void,
): void {
  const original = instance.handleConnection?.bind(instance);
  if (!original) return;
  instance.handleConnection = (connection, ...rest) => {
    try {
      const result = original(connection, ...rest);
      if (result instanceof Promise) onResult(connection as C, result as Promise<void>);
    } catch (error) {
      onResult(connection as C, Promise.reject(error));
    }
  };
}

/**
 * Lists the handlers of protocol types that can be called without Nest's pipeline, because neither they nor their class
 * use it. Handlers of extensions always go through it, including global guards and pipes.
 */
export function listDirectHandlers({
  instance,
  prototype,
  isStatic,
}: GatewayClass): [type: string, handler: FrameHandler][] {
  if (!isStatic || hasEnhancers(prototype.constructor)) return [];
  return listMethods(prototype).flatMap(({ type, name, method }) => {
    const hasParameters = Reflect.hasMetadata(ROUTE_ARGS_METADATA, prototype.constructor, name);
    if (!Object.hasOwn(inboundTable, type) || hasEnhancers(method) || hasParameters) return [];
    return [[type, method.bind(instance)]];
  });
}

function hasEnhancers(target: object): boolean {
  const enhancers = ENHANCERS.flatMap((key) => (Reflect.getMetadata(key, target) as unknown[] | undefined) ?? []);
  return !enhancers.every(isFrameFilter);
}

/** Returns true for our own filter. For direct handlers the dispatcher does its work. */
function isFrameFilter(enhancer: unknown): boolean {
  return enhancer instanceof FrameExceptionFilter;
}

function listMethods(prototype: object): { type: string; name: string; method: (...args: unknown[]) => unknown }[] {
  return new MetadataScanner().getAllMethodNames(prototype).flatMap((name) => {
    const method = (prototype as Record<string, (...args: unknown[]) => unknown>)[name];
    if (!method || !Reflect.hasMetadata(MESSAGE_METADATA, method)) return [];
    return [{ type: String(Reflect.getMetadata(MESSAGE_METADATA, method)), name, method }];
  });
}
