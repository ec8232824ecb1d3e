import type { NodeEventRecord } from '../store/index.js';

/** An event of a device. Its data are foreign: they may hold anything, also text meant for a model. */
export interface DeviceEvent extends Omit<NodeEventRecord, 'data'> {
  readonly data: unknown;
}

/** Handles an event. A repeat after a crash has the same `eventId`. */
export type NodeEventHandler = (event: DeviceEvent) => unknown;

const HANDLERS = Symbol('node event handlers');

/** A method that handles the events with a name. */
export interface HandlerDeclaration {
  readonly event: string;
  readonly method: string;
}

/**
 * Calls a method of a provider of any Nest module for each event of devices with this name, one after the other for one
 * device: `@NodeEvent('door.opened') greet({ nodeId, data }: DeviceEvent) {...}`.
 */
export function NodeEvent(event: string) {
  return (target: object, method: string): void =>
    Reflect.defineMetadata(HANDLERS, [...listEventHandlers(target), { event, method }], target);
}

/** Returns the handlers of a provider, including those of its base classes. */
export function listEventHandlers(provider: object): readonly HandlerDeclaration[] {
  return (Reflect.getMetadata(HANDLERS, provider) as readonly HandlerDeclaration[] | undefined) ?? [];
}
