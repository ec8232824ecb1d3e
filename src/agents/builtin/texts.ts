import type { MessageInPayload } from '../../protocol/index.js';

export const HELP = `This is the built-in agent, which has no model.

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

/**
 * Returns the reply to any other text. The text comes last, so that an open fence in it cannot include the rest.
 * @param model of the agent, which only the setting `runtime` keeps from answering
 */
export function repeatOf({ content, attachments = [] }: MessageInPayload, model: string | undefined): string {
  const files =
    attachments.length === 0 ? '' : ` and ${attachments.length} attachment${attachments.length === 1 ? '' : 's'}`;
  const [reason, remedy] =
    model === undefined
      ? ['No model is configured', 'To configure one, run `openclaw setup` or set `agent.model`']
      : ['The runtime of this agent is `builtin`', `To let \`${model}\` answer, set its \`runtime\` to \`auto\``];
  return (
    `**${reason}**, so the built-in agent repeats what you wrote${files}. ` +
    `${remedy} (see \`docs/guides/models.md\`); \`/help\` lists what works without a model.\n\n${content}`
  );
}
