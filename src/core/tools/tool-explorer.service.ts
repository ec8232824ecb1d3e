import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { StartStep } from '../lifecycle/steps.js';
import { ToolMetadata, type ToolExecutor } from './tool.decorator.js';
import { ToolRegistryService } from './tool-registry.service.js';

const DEFAULT_TIMEOUT_MS = 30_000;

/** Finds the `@Tool` classes of all modules and registers them. */
@Injectable()
export class ToolExplorerService {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly registry: ToolRegistryService,
  ) {}

  /** Registers the tools of classes, before other parts register theirs. @throws Error when two classes declare the same tool */
  @StartStep({ name: 'register tools', phase: 'register' })
  explore(): void {
    const owners = new Map<string, string>();
    for (const wrapper of this.discovery.getProviders({ metadataKey: ToolMetadata.KEY })) {
      const options = this.discovery.getMetadataByDecorator(ToolMetadata, wrapper);
      if (!options || !wrapper.instance) continue;
      const executor = wrapper.instance as ToolExecutor;
      const owner = executor.constructor.name;
      const earlier = owners.get(options.name);
      if (earlier) throw new Error(`The tool "${options.name}" is declared twice: by ${earlier} and by ${owner}`);
      owners.set(options.name, owner);
      this.registry.register({
        permissions: [],
        timeoutMs: DEFAULT_TIMEOUT_MS,
        idempotent: false,
        requiresApproval: false,
        sandbox: false,
        ...options,
        handler: (parameters, context) => executor.execute(parameters, context),
        ...(executor.review && { review: executor.review.bind(executor) }),
        ...(executor.guide && { guide: executor.guide.bind(executor) }),
      });
    }
  }
}
