import type { ToolDefinition } from './tool.js';

/** The description and the schema of a foreign tool, safe to show to people and models and to compile. */
export type VettedTool = Pick<ToolDefinition, 'description' | 'parameters'> &
  Required<Pick<ToolDefinition, 'findFaults'>>;

/** Vets what a source outside the gateway says of its tools. */
export abstract class ForeignTools {
  /**
   * @param description untrusted text; it is cleaned and truncated
   * @param schema a JSON Schema of any draft
   * @throws Error with the reason if the schema cannot be used
   */
  abstract vet(description: string, schema: unknown): Promise<VettedTool>;
}
