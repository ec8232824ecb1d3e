import Type, { type Static } from 'typebox';
import { Tool, type ToolExecutor } from '../../core/tools/tool.decorator.js';
import type { CallReview, ReviewContext, ToolCallContext } from '../../core/tools/tool.js';
import { text } from '../../protocol/text.js';
import { placeOf } from './act-review.js';
import { BrowsersService } from './process/browsers.service.js';
import { buildResult, type PageResult } from './page/page-result.js';
import type { Tab } from './page/tab.js';
import { CALL_TIMEOUT_MS, PERMISSION } from './page-tools.js';

/** Longest result of a script, in characters. */
const MAX_RESULT_LENGTH = 50_000;

const Parameters = Type.Object(
  {
    script: text({ min: 1, max: 65_536, controls: true }, 'An expression of JavaScript. A promise is waited for.'),
  },
  { additionalProperties: false },
);

/**
 * Runs a script on the current page, with all that the page may do. Its permission is one of its own, so that it is not
 * there where only `browser` is granted.
 */
@Tool({
  name: 'browser.evaluate',
  description: 'Runs an expression of JavaScript on the current page, and returns its value as JSON.',
  parameters: Parameters,
  permissions: [PERMISSION, 'browser:evaluate'],
  timeoutMs: CALL_TIMEOUT_MS,
})
export class BrowserEvaluateTool implements ToolExecutor<typeof Parameters> {
  constructor(private readonly browsers: BrowsersService) {}

  /** Every script needs an approval; the person sees it in the arguments. */
  async review(_parameters: Static<typeof Parameters>, call: ReviewContext): Promise<CallReview> {
    const shown = await this.browsers.useIfOpen(call, async ({ current }) => describeScript(current));
    if (shown === undefined) throw new Error('no page is open; use browser.open');
    return { needsApproval: true, shown };
  }

  execute({ script }: Static<typeof Parameters>, call: ToolCallContext): Promise<PageResult> {
    return this.browsers.use(call, async (own) => {
      const tab = own.current;
      if (call.approved !== describeScript(tab))
        throw new Error('the page is another one than the one for which the script was approved; call it again');
      const value: unknown = await tab.page.evaluate(script);
      const result = tab.hider(JSON.stringify(value) ?? 'undefined');
      const rest = result.length > MAX_RESULT_LENGTH ? [`(${result.length - MAX_RESULT_LENGTH} more characters)`] : [];
      return buildResult(own, [`result: ${result.slice(0, MAX_RESULT_LENGTH)}`, ...rest]);
    });
  }
}

function describeScript({ page, hider }: Tab): string {
  return `run a script on ${placeOf(hider(page.url()))}`;
}
