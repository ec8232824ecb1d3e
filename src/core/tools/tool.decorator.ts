import { applyDecorators, Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import type { TSchema, Static } from 'typebox';
import type { CallReview, ReviewContext, ToolCallContext, ToolDescription, ToolGuide } from './tool.js';

/** Options of `@Tool`. Defaults: no permissions, 30 s, not idempotent, no approval, no sandbox. */
export type ToolOptions<P extends TSchema = TSchema> = Pick<ToolDescription<P>, 'name' | 'description' | 'parameters'> &
  Partial<
    Pick<
      ToolDescription<P>,
      'permissions' | 'permissionOf' | 'timeoutMs' | 'idempotent' | 'requiresApproval' | 'sandbox' | 'isWaiting'
    >
  >;

/** A class that implements a tool. */
export interface ToolExecutor<P extends TSchema = TSchema> {
  /** See `ToolHandler`. */
  execute(parameters: Static<P>, context: ToolCallContext): unknown;
  /** See `ToolReview`. */
  review?(parameters: Static<P>, context: ReviewContext): CallReview | Promise<CallReview>;
  /** See `ToolGuide`. */
  guide?(...args: Parameters<ToolGuide>): string;
}

/** Marks classes for the explorer. The metadata are the options. */
export const ToolMetadata = DiscoveryService.createDecorator<ToolOptions>();

/**
 * Makes a provider of any Nest module a tool of the gateway:
 * `@Tool({ name: 'acme.lookup', description: '...', parameters: Type.Object({ id: Type.String() }) })`.
 * A class whose `execute` does not match the schema does not compile.
 */
export function Tool<P extends TSchema>(options: ToolOptions<P>) {
  const decorate = applyDecorators(Injectable(), ToolMetadata(options as unknown as ToolOptions));
  return <C extends new (...args: never[]) => ToolExecutor<P>>(target: C): void => decorate(target);
}
