import type { MessageInPayload } from '../../protocol/index.js';

export const HELP = `This is the built-in agent: it answers because no model is configured.

/help              this text
/status            the session and the agent
/agents            the agents of this gateway
/tools             the tools that this session may use
/tool NAME {json}  calls a tool
/blocks N [MS]     N blocks, MS milliseconds apart
/wait MS           one block after MS milliseconds
/demo              one block of each type that needs no tool
/fail              a turn that fails
/reset             starts a new context
/activation always|mention   when the agent answers in a group

Any other text is repeated.`;

/** Returns the reply to any other text. The text comes last, so that an open fence in it cannot include the rest. */
export function noModelConfigured({ content, attachments = [] }: MessageInPayload): string {
  const files =
    attachments.length === 0 ? '' : ` and ${attachments.length} attachment${attachments.length === 1 ? '' : 's'}`;
  return (
    `**No model is configured**, so the built-in agent repeats what you wrote${files}. ` +
    'To configure one, run `openclaw setup` or set `agent.model` (see `docs/guides/models.md`); `/help` lists what works without a model.\n\n' +
    content
  );
}
